/**
 * Ends or stops its process at a step of the protocol by which rows are stored exactly once: `--import` it into a
 * consumer that runs with TCPTRAIL_CRASH_AT=<step>:<how many times the step is passed first>, and with
 * TCPTRAIL_CRASH_SIGNAL (SIGKILL when it is not set; SIGSTOP makes a zombie, once).
 */
import net from 'node:net';

/**
 * `note`: the intent is written to the broker. `noted`: the broker has it. `insert`: the next thing is to send an
 * INSERT. `half`: its head is sent, its rows are not. `sent`: all of it is. `events`, `batches`: ClickHouse answered
 * one into that table. `done`: the offset behind the range is written to the broker. `committed`: the broker has it.
 */
export const CONSUMER_STEPS = [
  'note',
  'noted',
  'insert',
  'half',
  'sent',
  'events',
  'batches',
  'done',
  'committed',
] as const;
export type ConsumerStep = (typeof CONSUMER_STEPS)[number];

/** Of the Kafka protocol: size, API key, version, correlation id. */
const OFFSET_COMMIT = 8;
const API_KEY = 4;
const CORRELATION_ID = 8;
const INSERT = /^POST [^ ]*INSERT(?:\+|%20| )INTO(?:\+|%20| )\w+\.tcp_(events|batches)/;

const [step, passed] = (process.env['TCPTRAIL_CRASH_AT'] ?? '').split(':');
const signal = (process.env['TCPTRAIL_CRASH_SIGNAL'] || 'SIGKILL') as NodeJS.Signals;
let left = Number(passed);

function crash(): void {
  left -= 1;
  if (left === -1) process.kill(process.pid, signal);
}

/** Sockets on which an INSERT is being sent → its table. */
const inserting = new WeakMap<net.Socket, string>();
const { write } = net.Socket.prototype;

function written(this: net.Socket, ...args: unknown[]): boolean {
  const [chunk] = args as [string | Buffer];
  const go = () => (write as (...all: unknown[]) => boolean).apply(this, args);
  return Buffer.isBuffer(chunk) && isCommit(chunk) ? commit(this, chunk, go) : insert(this, chunk, go);
}

function isCommit(request: Buffer): boolean {
  return (
    request.length > CORRELATION_ID + 4 &&
    request.readInt32BE(0) === request.length - 4 &&
    request.readInt16BE(API_KEY) === OFFSET_COMMIT
  );
}

/** With something begun. */
const isNote = (request: Buffer): boolean => /tcptrail 2 \S+ \d/.test(request.toString('latin1'));

function commit(socket: net.Socket, request: Buffer, go: () => boolean): boolean {
  const [sent, answered] = isNote(request) ? ['note', 'noted'] : ['done', 'committed'];
  const id = request.subarray(CORRELATION_ID, CORRELATION_ID + 4);
  const isWritten = go();
  // Not at once: the kernel is given what was written first.
  if (step === sent) setImmediate(crash);
  if (step === answered) {
    socket.prependListener('data', function answer(data: Buffer) {
      if (!data.includes(id)) return;
      socket.off('data', answer);
      crash();
    });
  }
  return isWritten;
}

function insert(socket: net.Socket, chunk: string | Buffer, go: () => boolean): boolean {
  const text = typeof chunk === 'string' ? chunk : chunk.toString('latin1');
  const [, table] = INSERT.exec(text) ?? [];
  if (table !== undefined) {
    inserting.set(socket, table);
    if (step === 'insert') crash();
    if (step === table) socket.prependOnceListener('data', crash);
  }
  const isWritten = go();
  if (table !== undefined && step === 'half') crash();
  if (inserting.has(socket) && text.endsWith('0\r\n\r\n')) {
    inserting.delete(socket);
    if (step === 'sent') setImmediate(crash);
  }
  return isWritten;
}

if (step) Object.assign(net.Socket.prototype, { write: written });

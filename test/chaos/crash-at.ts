/**
 * Kills its process right after a step, before anything else is done: `--import` it into an agent that runs with
 * TCPTRAIL_CRASH_AT=<step>:<how many times the step is passed first>.
 */
import fs, { readlinkSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';

/**
 * `torn`: half of a batch is in the spool. `spool`: all of it is. `ring`: its records are given back to the kernel. `send`: a request with batches is
 * written to a broker. `acknowledged`: the answer has come and was not looked at. `cursor`: the cursor was moved.
 */
export const CRASH_STEPS = ['torn', 'spool', 'ring', 'send', 'acknowledged', 'cursor'] as const;
export type CrashStep = (typeof CRASH_STEPS)[number];

/** Of the Kafka protocol: the first field behind the size of a request. */
const PRODUCE = 0;
const API_KEY = 4;

const [step, passed] = (process.env['TCPTRAIL_CRASH_AT'] ?? '').split(':');
let left = Number(passed);

function isDue(): boolean {
  left -= 1;
  return left < 0;
}

function die(): void {
  if (!isDue()) return;
  kill();
}

function kill(): never {
  process.kill(process.pid, 'SIGKILL');
  // The signal is handled before anything else of this process is.
  for (;;);
}

type Anything = (...args: unknown[]) => unknown;

/** `act` is called after the function, with its arguments. */
function after<T, K extends keyof T>(of: T, name: K, act: (...args: unknown[]) => void): void {
  const was = of[name] as Anything;
  Object.assign(of as object, {
    [name](this: unknown, ...args: unknown[]) {
      const result = was.apply(this, args);
      act.apply(this, args);
      return result;
    },
  });
}

/** Written once and read back as often as it is sent: an answer is the next thing that comes. */
function onProduce(act: (socket: net.Socket) => void): void {
  after(net.Socket.prototype, 'write', function (this: net.Socket, request: unknown) {
    if (Buffer.isBuffer(request) && request.length > API_KEY + 2 && request.readInt16BE(API_KEY) === PRODUCE)
      act(this);
  });
}

const isSegment = (fd: unknown): boolean => readlinkSync(`/proc/self/fd/${fd}`).endsWith('.avro');

if (step === 'torn') {
  const { writeSync } = fs;
  // As the agent calls it, with all four.
  const half = (fd: number, bytes: NodeJS.ArrayBufferView, offset: number, length: number): number => {
    if (!isSegment(fd) || !isDue()) return writeSync(fd, bytes, offset, length);
    writeSync(fd, bytes, offset, Math.floor(length / 2));
    return kill();
  };
  Object.assign(fs, { writeSync: half });
} else if (step === 'spool') {
  after(fs, 'writeSync', (fd) => {
    if (isSegment(fd)) die();
  });
} else if (step === 'ring') {
  // The one word of a ring that the agent writes stands on a page of its own.
  after(Atomics, 'store', (words) => {
    if (words instanceof BigUint64Array && words.length === 1) die();
  });
} else if (step === 'send') {
  // Not at once: the kernel is given what was written first.
  onProduce(() => setImmediate(die));
} else if (step === 'acknowledged') {
  onProduce((socket) => void socket.prependOnceListener('data', die));
} else if (step === 'cursor') {
  after(fs, 'renameSync', (_from, to) => {
    if (String(to).endsWith('cursor/kafka.json')) die();
  });
}
syncBuiltinESMExports();

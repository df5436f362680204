/**
 * The lines of one log as batches: the shape in which everything else stores.
 *
 * The same content gives the same batches, numbered from 1, so that the ledger finds again what is stored. A batch holds
 * connections that ended on one day. The last one carries the account of the whole file: each line has a number, and is
 * a row, or was left out by rule, or could not be read.
 */
import { type BatchEnvelope, encodeBatch, UNKNOWN_OWNER } from '@tcptrail/schemas/batch.ts';
import { EVENT_BYTES_MAX, encodeEvent } from '@tcptrail/schemas/generated/encode-event.ts';
import { RING_EVENT_BYTES } from '@tcptrail/schemas/generated/ring.ts';
import { createEventWriter } from './zeek-event.ts';
import { createZeekLog } from './zeek-log.ts';

export interface Batch {
  /** µs. */
  readonly agentEpoch: number;
  readonly batchSeq: number;
  readonly datum: Uint8Array;
  readonly rows: number;
}

/** Lines of a file by what became of them. */
export interface Account {
  lines: number;
  /** Connections. */
  rows: number;
  /** Of other protocols. */
  notTcp: number;
  /** Header and empty lines. */
  header: number;
  bad: number;
}

export interface BatchesConfig {
  /** SHA-256 of the content, in hex. */
  readonly hash: string;
  /** Name of the file, for people. */
  readonly hostName: string;
}

interface Open {
  readonly out: Uint8Array;
  readonly view: DataView;
  position: number;
  rows: number;
  tsUs: number;
}

const ROWS_MAX = 2_000;
/** Days that are open at once, where lines are in no order. */
const DAYS_MAX = 8;
const DAY_US = 86_400_000_000;
const NOTHING = new Uint8Array(0);
const AGENT = {
  clock_offset_us: 0,
  peer_name: NOTHING,
  peer_name_source: 0,
  peer_translated_address: new Uint32Array(4),
  peer_translated_port: 0,
  owner: 0,
  own: false,
  reset_reason: NOTHING,
  connections: 1,
  folded: 0,
  rtt_histogram: [],
};

/** Name of a file's rows: as the machine id and the boot of a host are. */
export const hostIdOf = (hash: string): string => hash.slice(0, 32);

/** `account` is filled as the lines are read. `onBad` gets each line that could not be. */
export async function* batchesOf(
  lines: AsyncIterable<string>,
  config: BatchesConfig,
  account: Account,
  onBad: (line: number, problem: string) => void,
): AsyncGenerator<Batch> {
  const log = createZeekLog();
  const writer = createEventWriter();
  const words = new Uint32Array(writer.ring.buffer, writer.ring.byteOffset, RING_EVENT_BYTES / 4);
  const days = new Map<number, Open>();
  const spare: Open[] = [];
  let epochUs = 0;
  let batchSeq = 0;

  function close(open: Open, last: Partial<BatchEnvelope> = {}): Batch {
    batchSeq += 1;
    const head = envelopeOf(config, { epochUs, batchSeq, tsUs: open.tsUs });
    const events = { bytes: open.out.subarray(0, open.position), count: open.rows };
    const datum = encodeBatch({ ...head, ...last }, events);
    spare.push(open);
    return { agentEpoch: epochUs, batchSeq, rows: open.rows, datum };
  }

  function opened(tsUs: number): Open {
    const open = spare.pop() ?? allocated();
    return Object.assign(open, { position: 0, rows: 0, tsUs });
  }

  function append(tsUs: number): Batch | undefined {
    const day = Math.floor(tsUs / DAY_US);
    const open = days.get(day) ?? opened(tsUs);
    days.set(day, open);
    open.position = encodeEvent(words, writer.ring, 0, open.view, open.position, AGENT);
    open.rows += 1;
    open.tsUs = Math.max(open.tsUs, tsUs);
    if (open.rows === ROWS_MAX) {
      days.delete(day);
      return close(open);
    }
    const [oldest] = days.keys();
    if (days.size <= DAYS_MAX || oldest === undefined) return undefined;
    const full = days.get(oldest);
    days.delete(oldest);
    return full && close(full);
  }

  for await (const line of lines) {
    account.lines += 1;
    const read = log.read(line);
    const event = read.kind === 'record' ? writer.write(read.record, account.lines) : read;
    if (event.kind === 'event') {
      account.rows += 1;
      if (account.rows === 1) epochUs = event.tsUs;
      const batch = append(event.tsUs);
      if (batch) yield batch;
    } else if (event.kind === 'bad') {
      account.bad += 1;
      onBad(account.lines, event.problem);
    } else if (event.kind === 'other') account.notTcp += 1;
    else account.header += 1;
  }
  const left = [...days.values()];
  const last = left.pop() ?? opened(epochUs);
  for (const open of left) yield close(open);
  yield close(last, accountOf(account));
}

function allocated(): Open {
  const out = new Uint8Array(ROWS_MAX * EVENT_BYTES_MAX);
  return { out, view: new DataView(out.buffer), position: 0, rows: 0, tsUs: 0 };
}

function envelopeOf(
  { hash, hostName }: BatchesConfig,
  { epochUs, batchSeq, tsUs }: { readonly epochUs: number; readonly batchSeq: number; readonly tsUs: number },
): BatchEnvelope {
  return {
    maybe_duplicate: false,
    host_name: hostName,
    host_id: hostIdOf(hash),
    boot_id: hash,
    agent_version: '',
    agent_epoch: epochUs,
    batch_seq: batchSeq,
    batch_part: 1,
    kernel_epoch: epochUs,
    batch_ts: tsUs,
    kernel_release: '',
    labels: {},
    owners: [UNKNOWN_OWNER],
    ring_positions: [],
    cpus: [],
    failed_reserves: [],
    rules: [],
    programs: [],
    namespaces: [],
    health: null,
  };
}

function accountOf({ lines, rows, notTcp, header, bad }: Account): Partial<BatchEnvelope> {
  const cpu = {
    cpu: 0,
    seq_last: lines,
    rows,
    rows_ahead: 0,
    failed: bad,
    folded: 0,
    folded_ahead: 0,
    filtered: notTcp + header,
    filtered_ahead: 0,
    spool_dropped: 0,
  };
  return {
    cpus: [cpu],
    rules: [
      { rule: 'not_tcp', folded: 0, filtered: notTcp },
      { rule: 'header', folded: 0, filtered: header },
    ],
  };
}

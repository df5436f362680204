/** The made fleet in time: batches as its agents send them, with a rhythm of days and weeks. */
import { type BatchEnvelope, encodeBatch } from '@tcptrail/schemas/batch.ts';
import { EVENT_BYTES_MAX, encodeEvent } from '@tcptrail/schemas/generated/encode-event.ts';
import { plainAgent } from '../plain-agent.ts';
import { sampleEnvelope } from '../sample-batch.ts';
import { type Connection, createRecord, drawConnection, type Kind, type Listener } from './connection.ts';
import { createDraws, type Draws } from './draws.ts';
import { flowsOf, HOSTS, ownersOf } from './flows.ts';

export interface FleetConfig {
  readonly seed: number;
  /** Count what is drawn, see `Fleet.bits`. */
  readonly counts?: boolean;
  readonly fromUs: number;
  readonly untilUs: number;
  /** About so many events between the two. */
  readonly rows: number;
}

export interface MadeBatch {
  readonly datum: Uint8Array;
  readonly rows: number;
  readonly hostId: string;
  readonly agentEpoch: number;
  readonly batchSeq: number;
}

export interface Fleet {
  /** In steps of ten minutes, host after host. */
  batches(): Generator<MadeBatch>;
  /** Bits of information drawn for what came until now. */
  readonly bits: number;
}

const ROWS_MAX = 2_000;
const STEP_US = 600e6;
const CPUS = 4;
const UPDATE_US = 60e6;
/** The kernel gives cookies to each CPU in blocks. */
const COOKIES = 4_096;
/** Events of a connection on average, as this fleet has them. */
const EVENTS_A_CONNECTION = 1.4;
/** What each host listens on and nobody connects to. */
const UNUSED = { role: 'server', port: 5_666 } as const;
const BOOT_BEFORE_US = 10 * 86_400e6;

export function createFleet(config: FleetConfig): Fleet {
  const { fromUs, untilUs, rows } = config;
  const bootUs = fromUs - BOOT_BEFORE_US;
  const draws = createDraws(config.seed, { counts: config.counts ?? false });
  const record = createRecord(draws);
  const meanGapUs = ((untilUs - fromUs) * HOSTS * EVENTS_A_CONNECTION) / rows;
  const hosts = Array.from({ length: HOSTS }, (_, host) =>
    createHost({ host, draws, bootUs, meanGapUs, fromUs }),
  );
  const out = new Uint8Array(ROWS_MAX * EVENT_BYTES_MAX);
  const view = new DataView(out.buffer);
  const agent = { ...plainAgent(), clock_offset_us: bootUs };

  function* batches(): Generator<MadeBatch> {
    for (let stepUs = fromUs; stepUs < untilUs; stepUs += STEP_US) {
      const endUs = Math.min(untilUs, stepUs + STEP_US);
      for (const host of hosts) {
        let position = 0;
        let count = 0;
        for (const event of host.until(endUs - bootUs)) {
          if (event.kind === 'listen') record.writeListener(event.listener, event.atUs, event.seq);
          else record.write(event.connection, event.kind, event.atUs, event.seq);
          agent.owner = event.owner;
          agent.connections = event.kind === 'close' || event.kind === 'fail' ? 1 : 0;
          position = encodeEvent(record.words, record.ring, 0, view, position, agent);
          if (++count === ROWS_MAX) {
            yield made(host, position, count, event.atUs + bootUs);
            position = count = 0;
          }
        }
        if (count > 0) yield made(host, position, count, endUs);
      }
    }
  }

  function made(host: Host, bytes: number, count: number, batchTs: number): MadeBatch {
    const envelope = host.envelope(batchTs);
    const datum = encodeBatch(envelope, { bytes: out.subarray(0, bytes), count });
    return {
      datum,
      rows: count,
      hostId: envelope.host_id,
      agentEpoch: envelope.agent_epoch,
      batchSeq: envelope.batch_seq,
    };
  }

  return {
    batches,
    get bits() {
      return draws.bits;
    },
  };
}

type Event = { readonly atUs: number; readonly cpu: number; readonly owner: number; seq: number } & (
  | { readonly kind: Kind; readonly connection: Connection }
  | { readonly kind: 'listen'; readonly listener: Listener }
);

interface Host {
  /** Its events up to then, in order, µs since its boot. */
  until(us: number): Generator<Event>;
  /** Of the next batch. */
  envelope(batchTs: number): BatchEnvelope;
}

function createHost(at: {
  host: number;
  draws: Draws;
  bootUs: number;
  meanGapUs: number;
  fromUs: number;
}): Host {
  const { host, draws, bootUs, meanGapUs, fromUs } = at;
  const flows = flowsOf(host);
  const shares = flows.map(({ share }) => share);
  const owners = ownersOf(host);
  const queue: Event[] = [];
  const seqs = new Array<number>(CPUS).fill(0);
  const cookies = new Array<number>(CPUS).fill(0);
  let block = 0;
  let batchSeq = 0;
  let nextUs = fromUs - bootUs + draws.wait(meanGapUs);

  for (const [owner, { role, port }] of [...flows, UNUSED].entries()) {
    if (role !== 'server') continue;
    const listener = { host, cookie: cookieOf(0), port };
    queue.push({
      kind: 'listen',
      listener,
      atUs: fromUs - bootUs,
      cpu: 0,
      owner: owner % flows.length,
      seq: 0,
    });
  }

  function cookieOf(cpu: number): number {
    const last = cookies[cpu] as number;
    cookies[cpu] = last % COOKIES === 0 ? ++block * COOKIES + 1 : last + 1;
    return cookies[cpu] as number;
  }

  function begin(startUs: number): void {
    const owner = draws.oneOf(shares);
    const cpu = draws.below(CPUS);
    const connection = drawConnection(draws, {
      flow: flows[owner] ?? (flows[0] as (typeof flows)[number]),
      owner,
      host,
      cpu,
      cookie: cookieOf(cpu),
      startUs,
    });
    const { endUs } = connection;
    const tell = (kind: Kind, atUs: number): void =>
      push(queue, { kind, atUs, connection, owner, cpu, seq: 0 });
    if (!connection.failed && endUs - startUs > 1e6) {
      // A look every five seconds finds them.
      tell('open', startUs + 1e6 + draws.below(3_000));
      for (let us = startUs + UPDATE_US; us < endUs; us += UPDATE_US)
        tell('update', us + draws.below(5_000_000));
    }
    for (let n = 1; n <= connection.again && !(connection.failed && connection.flow.role === 'server'); n++)
      tell('retransmit', startUs + Math.ceil(((endUs - startUs) * n) / (connection.again + 1)));
    // Who never finished a handshake with a server is no connection there.
    const failure = connection.flow.role === 'server' ? 'half_open' : 'fail';
    tell(connection.failed ? failure : 'close', endUs);
    if (connection.verdict === 'reset_sent' || connection.verdict === 'reset_received') tell('reset', endUs);
  }

  return {
    *until(us) {
      for (;;) {
        const first = queue[0];
        if (first && first.atUs <= nextUs && first.atUs < us) {
          pop(queue);
          seqs[first.cpu] = (seqs[first.cpu] as number) + 1;
          first.seq = seqs[first.cpu] as number;
          yield first;
        } else if (nextUs < us) {
          begin(nextUs);
          nextUs += draws.wait(meanGapUs / rhythm(nextUs + bootUs));
        } else return;
      }
    },
    envelope(batchTs) {
      batchSeq++;
      return sampleEnvelope({
        host_id: `${'0'.repeat(28)}${String(1000 + host)}`,
        host_name: `host-${host}`,
        boot_id: `00000000-0000-4000-8000-00000000${1000 + host}`,
        kernel_epoch: fromUs,
        agent_epoch: fromUs,
        batch_seq: batchSeq,
        batch_ts: batchTs,
        owners: [...owners],
      });
    },
  };
}

/** How busy the fleet is, 1 on average of a week: nights half as busy as days, weekends two thirds of a working day. */
function rhythm(us: number): number {
  const days = us / 86_400e6;
  const isWeekend = ((Math.floor(days) + 4) % 7) % 6 === 0;
  return (1 - 0.45 * Math.cos((days - 1 / 12) * 2 * Math.PI)) * (isWeekend ? 0.73 : 1.1);
}

/** A binary heap by time. */
function push(heap: Event[], event: Event): void {
  let at = heap.length;
  heap.push(event);
  while (at > 0) {
    const parent = (at - 1) >> 1;
    const above = heap[parent] as Event;
    if (above.atUs <= event.atUs) break;
    heap[at] = above;
    at = parent;
  }
  heap[at] = event;
}

function pop(heap: Event[]): void {
  const last = heap.pop() as Event;
  if (heap.length === 0) return;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && (heap[child + 1] as Event).atUs < (heap[child] as Event).atUs) child++;
    if ((heap[child] as Event).atUs >= last.atUs) break;
    heap[at] = heap[child] as Event;
    at = child;
  }
  heap[at] = last;
}

/**
 * Events a second of one core from ring records to the bytes of closed batches: the agent's own way, and, in turn with
 * it, each record to an object and through avsc. Records are of real connections; all ways give the same bytes.
 */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { constants, zstdCompressSync } from 'node:zlib';
import { NODE_FLAGS } from '@tcptrail/agent/node-flags.ts';
import { ZSTD_LEVEL } from '@tcptrail/kafka/codecs.ts';
import { frame } from '@tcptrail/schemas/single-object.ts';
import { runLoad } from '../harness/load.ts';
import { runPacedLoad } from '../harness/paced-load.ts';
import { median } from './agent/median.ts';
import { BATCH_TYPE } from './encode/event-type.ts';
import { createFilledRing } from './encode/filled-ring.ts';
import { createPath, PATHS, type PathName } from './encode/paths.ts';
import { type RealRecords, recordLoad } from './encode/real-records.ts';
import { type Answer, type Order, RING_BYTES, type Round } from './encode/worker.ts';

const QUICK = Boolean(process.env['QUICK']);
/** Two closes each: they fill the ring, and hardly one is left out. */
const CONNECTIONS = QUICK ? 1_000 : 17_000;
const ROUNDS = QUICK ? 3 : 11;
/** A ring is over in 20 ms; the kernel may count CPU in ticks of 4. */
const RINGS_A_ROUND = QUICK ? 5 : 20;
const WORKER = join(import.meta.dirname, 'encode/worker.ts');

interface Worker {
  ask<K extends Answer['kind']>(order: Order, kind: K): Promise<Extract<Answer, { kind: K }>>;
  end(): void;
}

/** The agent's own way runs as the agent does, the others as Node.js does by default. */
function startWorker(name: PathName): Worker {
  const child = fork(WORKER, [name], {
    serialization: 'advanced',
    execArgv: name.startsWith('tcptrail') ? [...NODE_FLAGS] : [],
  });
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`${name} ended with ${String(code)}`);
  });
  ended.catch(() => {});
  return {
    async ask<K extends Answer['kind']>(order: Order, kind: K) {
      child.send(order);
      const [answer] = (await Promise.race([once(child, 'message'), ended])) as [Answer];
      assert.equal(answer.kind, kind);
      return answer as Extract<Answer, { kind: K }>;
    },
    end: () => void child.kill(),
  };
}

/** Throws when two ways differ in a byte or in what avsc reads. */
async function sameBatches(workers: readonly Worker[]) {
  const all = await Promise.all(workers.map((worker) => worker.ask({ kind: 'batches' }, 'batches')));
  const [ours, ...others] = all.map((answer) => ({ ...answer, batches: answer.batches.map(asBuffer) }));
  assert.ok(ours && ours.events > 0);
  const read = ours.batches.map((datum) => BATCH_TYPE.fromBuffer(datum));
  for (const { batches } of others) {
    assert.deepEqual(
      batches.map((datum) => BATCH_TYPE.fromBuffer(datum)),
      read,
    );
    assert.deepEqual(batches, ours.batches);
  }
  return ours;
}

function bytesAnEvent({
  batches,
  events,
}: {
  readonly batches: readonly Uint8Array[];
  readonly events: number;
}) {
  const params = { [constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL };
  const framed = batches.map((datum) => frame(datum));
  const sum = (of: readonly Uint8Array[]): number => of.reduce((bytes, { length }) => bytes + length, 0);
  return {
    raw: round(sum(framed) / events),
    zstd: round(sum(framed.map((message) => zstdCompressSync(message, { params }))) / events),
  };
}

async function measure(real: RealRecords) {
  const names = Object.keys(PATHS) as PathName[];
  const workers = names.map(startWorker);
  try {
    for (const worker of workers) await worker.ask({ kind: 'records', real }, 'ready');
    const same = await sameBatches(workers.filter((_, place) => names[place] !== 'tcptrail_folding'));
    const rounds = names.map((): Round[] => []);
    for (let index = -1; index < ROUNDS; index++) {
      for (const [place, worker] of workers.entries()) {
        const { round } = await worker.ask({ kind: 'round', rings: RINGS_A_ROUND }, 'round');
        // The first warms the code up.
        if (index >= 0) rounds[place]?.push(round);
      }
    }
    return { rounds: Object.fromEntries(names.map((name, place) => [name, rounds[place] ?? []])), same };
  } finally {
    for (const worker of workers) worker.end();
  }
}

/** One in 20 is refused; the others carry up to 100,000 bytes each way, over IPv4 and IPv6. */
const variedLoad = () => runLoad({ count: CONNECTIONS, refused: Math.floor(CONNECTIONS / 20), seed: 1 });
/** As the benchmark e2e has it. */
const steadyLoad = () => runPacedLoad({ count: CONNECTIONS, perSecond: 5_000 });

function batchesOf(
  real: RealRecords,
  name: PathName = 'tcptrail',
): { batches: Uint8Array[]; events: number } {
  const batches: Uint8Array[] = [];
  const ring = createFilledRing(RING_BYTES, real.records, real.records.length);
  createPath(name, real, (datum) => batches.push(datum)).run(ring.reader());
  return { batches, events: ring.count };
}

/** Of the load with its sizes and ends varied, repeated connections folded. */
function folded(): object {
  const made = batchesOf(real, 'tcptrail_folding');
  const rows = made.batches.reduce(
    (sum, datum) => sum + BATCH_TYPE.fromBuffer(asBuffer(datum)).events.length,
    0,
  );
  return {
    events_per_s: perSecond('tcptrail_folding', 'cpuUs'),
    rows_per_event: round(rows / made.events),
    bytes_an_event: bytesAnEvent(made),
  };
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
const round = (value: number): number => Math.round(value * 100) / 100;

const real = await recordLoad(variedLoad);
const { rounds, same } = await measure(real);
const of = (name: PathName): readonly Round[] => rounds[name] ?? [];
const perSecond = (name: PathName, time: 'cpuUs' | 'wallUs'): number =>
  Math.round(median(of(name).map((one) => (one.events / one[time]) * 1e6)));
const ratio = (peer: PathName): number =>
  round(median(of('tcptrail').map((ours, index) => (of(peer)[index]?.cpuUs ?? Number.NaN) / ours.cpuUs)));
console.log(
  JSON.stringify({
    connections: CONNECTIONS,
    records: real.records.length,
    events_a_round: of('tcptrail')[0]?.events,
    rounds: ROUNDS,
    events_per_s: perSecond('tcptrail', 'cpuUs'),
    events_per_s_avsc_to_buffer: perSecond('avsc_to_buffer', 'cpuUs'),
    events_per_s_avsc_encode: perSecond('avsc_encode', 'cpuUs'),
    events_per_s_wall: perSecond('tcptrail', 'wallUs'),
    ratio_avsc_to_buffer: ratio('avsc_to_buffer'),
    ratio_avsc_encode: ratio('avsc_encode'),
    bytes_an_event: bytesAnEvent(same),
    folding: folded(),
    bytes_an_event_steady: bytesAnEvent(batchesOf(await recordLoad(steadyLoad))),
  }),
);
process.exit();

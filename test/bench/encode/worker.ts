/** One path in a process of its own, as it would run: what another path did to shared code must not slow it. */
import { createFilledRing, type FilledRing } from './filled-ring.ts';
import { createPath, type PathName } from './paths.ts';
import type { RealRecords } from './real-records.ts';

/** As the agent's by default. */
export const RING_BYTES = 16 * 1024 * 1024;

export type Order =
  | { readonly kind: 'records'; readonly real: RealRecords }
  | { readonly kind: 'batches' }
  | { readonly kind: 'round'; readonly rings: number };

export interface Round {
  readonly events: number;
  /** Of the process, all threads: its garbage collector's too. */
  readonly cpuUs: number;
  readonly wallUs: number;
}

export type Answer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'batches'; readonly batches: readonly Uint8Array[]; readonly events: number }
  | { readonly kind: 'round'; readonly round: Round };

if (import.meta.main) {
  const name = process.argv[2] as PathName;
  let real: RealRecords | undefined;
  let ring: FilledRing | undefined;
  let run = (): void => {};

  function prepare(records: RealRecords): Answer {
    const filled = createFilledRing(RING_BYTES, records.records);
    const path = createPath(name, records, () => {});
    real = records;
    ring = filled;
    run = () => path.run(filled.reader());
    return { kind: 'ready' };
  }

  /** Each record once, so that none is the copy of another when they are compressed. */
  function batchesOf(of: RealRecords): Answer {
    const batches: Uint8Array[] = [];
    const once = createFilledRing(RING_BYTES, of.records, of.records.length);
    createPath(name, of, (datum) => batches.push(datum)).run(once.reader());
    return { kind: 'batches', batches, events: once.count };
  }

  function measure(rings: number): Answer {
    const cpu = process.cpuUsage();
    const startedMs = performance.now();
    for (let count = 0; count < rings; count++) run();
    const wallUs = (performance.now() - startedMs) * 1_000;
    const { user, system } = process.cpuUsage(cpu);
    return { kind: 'round', round: { events: rings * (ring?.count ?? 0), cpuUs: user + system, wallUs } };
  }

  process.on('message', (order: Order) => {
    if (order.kind === 'records') process.send?.(prepare(order.real));
    else if (order.kind === 'round') process.send?.(measure(order.rings));
    else if (real) process.send?.(batchesOf(real));
  });
}

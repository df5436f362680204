/**
 * The account of each CPU: what the kernel numbered against what became a row.
 *
 * A sample of the kernel's counters is taken while no event is under way, then the rings are drained up to their
 * producer positions: from then on every number up to the sample's is either a row or counted as lost, and the
 * sample ships. What has later numbers is counted apart, as `rows_ahead` and the like.
 *
 * Folded and left out is what the agent folds and leaves out: an event is counted as what it is now, so that the
 * account holds whenever a batch is closed.
 *
 * A bad record does not tell whose number it bore. After one, the numbers that a settled sample finds without a row
 * were in bad records, and count as failed.
 */
import type { CpuAccount } from '@tcptrail/schemas/batch.ts';

/** The kernel's counters of one CPU at one instant, cumulative within its kernel epoch. */
export interface KernelAccount {
  readonly cpu: number;
  /** Last number given. */
  readonly seq: number;
  readonly failed: number;
  readonly folded: number;
  readonly filtered: number;
}

export interface Account {
  /** A row is in the batch, or held for it. */
  row(cpu: number, seq: number): void;
  /** What was a row is folded into another row of the same batch. */
  fold(cpu: number, seq: number): void;
  /** An event is left out. */
  filter(cpu: number, seq: number): void;
  /** A record of a ring became no row. */
  bad(): void;
  /** A valid sample was taken; its rows are still in the rings. */
  begin(sample: readonly KernelAccount[]): void;
  /** Everything up to the producer positions read after the sample is in this or an earlier batch. */
  complete(): void;
  /** As a batch ships it. */
  cpus(dropped: Readonly<Record<string, number>>): CpuAccount[];
}

interface Sample {
  readonly kernel: ReadonlyMap<number, KernelAccount>;
  /** By CPU: the sample's last number. */
  readonly lasts: readonly number[];
  /** Of each tally, by CPU: what is beyond the sample's last number. */
  readonly ahead: Tallies;
  /** By CPU: numbers of bad records. Known once the sample is complete. */
  unreadable: ReadonlyMap<number, number>;
}

/** Events by CPU. */
interface Tallies {
  readonly rows: number[];
  readonly folded: number[];
  readonly filtered: number[];
}

const TALLIES = ['rows', 'folded', 'filtered'] as const;
const NONE: Omit<KernelAccount, 'cpu'> = { seq: 0, failed: 0, folded: 0, filtered: 0 };

/**
 * `spooled`: as the last batch of this kernel epoch has it, where an earlier run wrote one. `isLost`: where one did and
 * no batch is left. What is then in no ring any more counts as rows: those that nobody stored are missing.
 */
export function createAccount(
  spooled: readonly CpuAccount[] = [],
  { isLost = false }: { readonly isLost?: boolean } = {},
): Account {
  const all = noTallies();
  const { rows } = all;
  // What is folded and filtered is counted here, as the kernel does neither.
  let shipped: Sample = sampleOf(
    spooled.map(({ cpu, seq_last: seq, failed }) => ({ cpu, seq, failed, folded: 0, filtered: 0 })),
  );
  for (const { cpu, ...told } of spooled) {
    for (const what of TALLIES) {
      const ahead = told[`${what}_ahead`];
      all[what][cpu] = told[what] + ahead;
      shipped.ahead[what][cpu] = ahead;
    }
  }
  let begun: Sample | undefined;
  let isDamaged = false;
  let areRowsLost = isLost;

  return {
    row(cpu, seq) {
      rows[cpu] = (rows[cpu] ?? 0) + 1;
      noteRow(shipped, cpu, seq);
      if (begun) noteRow(begun, cpu, seq);
    },
    fold(cpu, seq) {
      move(all, cpu);
      if (isAhead(shipped, cpu, seq)) move(shipped.ahead, cpu);
      if (begun && isAhead(begun, cpu, seq)) move(begun.ahead, cpu);
    },
    filter(cpu, seq) {
      add(all.filtered, cpu, 1);
      if (isAhead(shipped, cpu, seq)) add(shipped.ahead.filtered, cpu, 1);
      if (begun && isAhead(begun, cpu, seq)) add(begun.ahead.filtered, cpu, 1);
    },
    bad() {
      isDamaged = true;
    },
    begin(sample) {
      begun = sampleOf(sample);
      // The kernel does not know of bad records that an earlier run counted.
      isDamaged ||= spooled.some(({ cpu, failed }) => failed > (begun?.kernel.get(cpu)?.failed ?? 0));
    },
    complete() {
      if (!begun) return;
      shipped = begun;
      begun = undefined;
      if (areRowsLost) for (const [cpu, count] of untold(shipped, all)) add(all.rows, cpu, count);
      areRowsLost = false;
      if (isDamaged) shipped.unreadable = untold(shipped, all);
    },
    cpus(dropped) {
      // What is no sum yet must not stand in a batch: whoever reads it, or goes on with it, would take it for all.
      if (areRowsLost) return [];
      const numbers = new Set([...shipped.kernel.keys(), ...all.rows.keys(), ...all.filtered.keys()]);
      return [...numbers]
        .filter(
          (cpu) => shipped.kernel.has(cpu) || all.rows[cpu] !== undefined || all.filtered[cpu] !== undefined,
        )
        .sort((a, b) => a - b)
        .map((cpu) => {
          const { seq, failed, folded, filtered } = shipped.kernel.get(cpu) ?? NONE;
          const { ahead } = shipped;
          return {
            cpu,
            seq_last: seq,
            rows: (all.rows[cpu] ?? 0) - (ahead.rows[cpu] ?? 0),
            rows_ahead: ahead.rows[cpu] ?? 0,
            failed: failed + (shipped.unreadable.get(cpu) ?? 0),
            folded: folded + (all.folded[cpu] ?? 0) - (ahead.folded[cpu] ?? 0),
            folded_ahead: ahead.folded[cpu] ?? 0,
            filtered: filtered + (all.filtered[cpu] ?? 0) - (ahead.filtered[cpu] ?? 0),
            filtered_ahead: ahead.filtered[cpu] ?? 0,
            spool_dropped: dropped[cpu] ?? 0,
          };
        });
    },
  };
}

function sampleOf(kernel: readonly KernelAccount[]): Sample {
  const lasts: number[] = [];
  for (const { cpu, seq } of kernel) lasts[cpu] = seq;
  return {
    kernel: new Map(kernel.map((account) => [account.cpu, account])),
    lasts,
    ahead: noTallies(),
    unreadable: new Map(),
  };
}

function noTallies(): Tallies {
  return { rows: [], folded: [], filtered: [] };
}

/**
 * By CPU, the numbers up to the sample's that nobody told. All CPUs together never more than are missing: a record
 * whose damage does not show may have been counted on another CPU.
 */
function untold({ kernel, ahead }: Sample, all: Tallies): Map<number, number> {
  const told = (what: keyof Tallies, cpu: number): number => (all[what][cpu] ?? 0) - (ahead[what][cpu] ?? 0);
  const missing = [...kernel.values()].map(({ cpu, seq, failed, folded, filtered }) => {
    const byAgent = told('rows', cpu) + told('folded', cpu) + told('filtered', cpu);
    return { cpu, count: seq - byAgent - failed - folded - filtered };
  });
  let left = missing.reduce((sum, { count }) => sum + count, 0);
  const found = new Map<number, number>();
  for (const { cpu, count } of missing) {
    const taken = Math.max(0, Math.min(count, left));
    if (taken > 0) found.set(cpu, taken);
    left -= taken;
  }
  return found;
}

function isAhead({ lasts }: Sample, cpu: number, seq: number): boolean {
  return seq > (lasts[cpu] ?? 0);
}

function add(counts: number[], cpu: number, by: number): void {
  counts[cpu] = (counts[cpu] ?? 0) + by;
}

/** From the rows to what is folded. */
function move(tallies: Tallies, cpu: number): void {
  add(tallies.rows, cpu, -1);
  add(tallies.folded, cpu, 1);
}

function noteRow({ lasts, ahead }: Sample, cpu: number, seq: number): void {
  if (seq > (lasts[cpu] ?? 0)) ahead.rows[cpu] = (ahead.rows[cpu] ?? 0) + 1;
}

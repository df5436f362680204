/**
 * The account of each CPU: what the kernel numbered against what became a row.
 *
 * A sample of the kernel's counters is taken while no event is under way, then the rings are drained up to their
 * producer positions: from then on every number up to the sample's is either a row or counted as lost, and the
 * sample ships. Rows with later numbers are `rows_ahead`.
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
  /** A row is in the batch. */
  row(cpu: number, seq: number): void;
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
  /** By CPU: rows beyond the sample's last number. */
  readonly ahead: number[];
  /** By CPU: numbers of bad records. Known once the sample is complete. */
  unreadable: ReadonlyMap<number, number>;
}

const NONE: Omit<KernelAccount, 'cpu'> = { seq: 0, failed: 0, folded: 0, filtered: 0 };

/** `spooled`: as the last batch of this kernel epoch has it, where an earlier run wrote one. */
export function createAccount(spooled: readonly CpuAccount[] = []): Account {
  /** By CPU: all rows so far. */
  const rows: number[] = [];
  let shipped: Sample = sampleOf(spooled.map(({ seq_last: seq, ...account }) => ({ seq, ...account })));
  for (const { cpu, rows: told, rows_ahead: ahead } of spooled) {
    rows[cpu] = told + ahead;
    shipped.ahead[cpu] = ahead;
  }
  let begun: Sample | undefined;
  let isDamaged = false;

  return {
    row(cpu, seq) {
      rows[cpu] = (rows[cpu] ?? 0) + 1;
      note(shipped, cpu, seq);
      if (begun) note(begun, cpu, seq);
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
      if (begun) shipped = begun;
      if (begun && isDamaged) shipped.unreadable = withoutRow(shipped, rows);
      begun = undefined;
    },
    cpus(dropped) {
      const numbers = new Set([...shipped.kernel.keys(), ...rows.keys()]);
      return [...numbers]
        .filter((cpu) => shipped.kernel.has(cpu) || rows[cpu] !== undefined)
        .sort((a, b) => a - b)
        .map((cpu) => {
          const { seq, failed, folded, filtered } = shipped.kernel.get(cpu) ?? NONE;
          const ahead = shipped.ahead[cpu] ?? 0;
          return {
            cpu,
            seq_last: seq,
            rows: (rows[cpu] ?? 0) - ahead,
            rows_ahead: ahead,
            failed: failed + (shipped.unreadable.get(cpu) ?? 0),
            folded,
            filtered,
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
    ahead: [],
    unreadable: new Map(),
  };
}

/**
 * By CPU, the numbers up to the sample's that became no row. All CPUs together never more than are missing: a record
 * whose damage does not show may have been counted on another CPU.
 */
function withoutRow({ kernel, ahead }: Sample, rows: readonly number[]): Map<number, number> {
  const missing = [...kernel.values()].map(({ cpu, seq, failed, folded, filtered }) => {
    const told = (rows[cpu] ?? 0) - (ahead[cpu] ?? 0);
    return { cpu, count: seq - told - failed - folded - filtered };
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

function note(sample: Sample, cpu: number, seq: number): void {
  if (seq > (sample.lasts[cpu] ?? 0)) sample.ahead[cpu] = (sample.ahead[cpu] ?? 0) + 1;
}

import type { CpuAccount } from '@tcptrail/schemas/batch.ts';

/** The account of one CPU: `rows` events, each a row, but for what is given. */
export function cpuAccount(rows: number, rest: Partial<CpuAccount> = {}): CpuAccount {
  return {
    cpu: 0,
    seq_last: rows,
    rows,
    rows_ahead: 0,
    failed: 0,
    folded: 0,
    folded_ahead: 0,
    filtered: 0,
    filtered_ahead: 0,
    spool_dropped: 0,
    ...rest,
  };
}

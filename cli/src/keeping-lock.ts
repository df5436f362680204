/** One at a time forgets rows or changes holds, so that a hold is there before a forget begins, or after it ended. */
import { createTableLock } from '@tcptrail/consumer/migrate/lock.ts';
import type { ClickHouse } from '@tcptrail/consumer/store/clickhouse.ts';
import { cliError } from './errors.ts';

const LEASE_MS = 60_000;
const RENEW_MS = 15_000;
const WAIT_MS_MAX = 5_000;

/** Throws CLI_KEEPING_BUSY, and as `use` does. */
export async function withKeepingLock<T>(clickhouse: ClickHouse, use: () => Promise<T>): Promise<T> {
  const refusal = (): Error => cliError('CLI_KEEPING_BUSY', [clickhouse.database]);
  const lock = createTableLock(clickhouse, { name: 'keeping_lock', leaseMs: LEASE_MS, refusal });
  await lock.acquire(WAIT_MS_MAX);
  const renewing = setInterval(() => void lock.renew().catch(() => undefined), RENEW_MS);
  try {
    return await use();
  } finally {
    clearInterval(renewing);
    await lock.release();
  }
}

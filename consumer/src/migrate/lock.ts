/**
 * One holder at a time: a table that only one can create, its comment a lease.
 *
 * A lease that was not renewed is taken by renaming the table to a name out of its id, which only one can do. The
 * clocks of the holders must agree within the time that a holder keeps from the end of its lease.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '@tcptrail/schemas/app-error.ts';
import { failure } from '../errors.ts';
import { onCluster } from '../form.ts';
import type { MigrationClient } from './migrate.ts';

export interface TableLock {
  /** Waits for another holder at most `waitMsMax`; throws what `refusal` makes then. Gives when the lease began, on `performance.now`. */
  acquire(waitMsMax: number): Promise<number>;
  renew(): Promise<void>;
  release(): Promise<void>;
}

export interface TableLockConfig {
  /** Name of the table. */
  readonly name: string;
  readonly leaseMs: number;
  /** Whoever waited for so long in vain. */
  readonly refusal: (waitedMs: number) => Error;
}

const LEASE_MS = 30_000;
const POLL_MS = 250;

export function createMigrationLock(client: MigrationClient, leaseMs: number = LEASE_MS): TableLock {
  const refusal = (waitedMs: number): Error =>
    failure(
      'MIGRATION_LOCKED',
      `another runner has been migrating database ${client.database} for ${Math.round(waitedMs / 1000)} s; wait for it`,
    );
  return createTableLock(client, { name: 'migration_lock', leaseMs, refusal });
}

export function createTableLock(client: MigrationClient, config: TableLockConfig): TableLock {
  const { name, leaseMs } = config;
  const table = `${client.database}.${name}`;
  // All hosts take statements of a cluster in one order, so that one creation alone succeeds.
  const on = onCluster(client);
  const until = (): string => String(Date.now() + leaseMs);

  async function create(): Promise<boolean> {
    try {
      await client.statement(`CREATE TABLE ${table} ${on} (held UInt8) ENGINE = Memory COMMENT '${until()}'`);
      return true;
    } catch (error) {
      if (error instanceof AppError && /TABLE_ALREADY_EXISTS/.test(error.message)) return false;
      throw error;
    }
  }

  /** Another may be faster at any of these steps; then the next look finds its lock. */
  async function takeExpired(): Promise<void> {
    const [held] = await client.query<{ uuid: string; comment: string }>(
      `SELECT toString(uuid) AS uuid, comment FROM system.tables WHERE database = {database:String} AND name = {name:String}`,
      { database: client.database, name },
    );
    if (!held || Number(held.comment) > Date.now()) return;
    const stale = `${table}_${held.uuid.replaceAll('-', '')}`;
    await client.statement(`RENAME TABLE ${table} TO ${stale} ${on}`).catch(() => undefined);
    await client.statement(`DROP TABLE IF EXISTS ${stale} ${on}`);
  }

  return {
    async acquire(waitMsMax) {
      for (let waited = 0; ; waited += POLL_MS) {
        const begunMs = performance.now();
        if (await create()) return begunMs;
        if (waited >= waitMsMax) throw config.refusal(waited);
        await takeExpired();
        await sleep(POLL_MS);
      }
    },
    renew: () => client.statement(`ALTER TABLE ${table} ${on} MODIFY COMMENT '${until()}'`),
    release: () => client.statement(`DROP TABLE IF EXISTS ${table} ${on}`),
  };
}

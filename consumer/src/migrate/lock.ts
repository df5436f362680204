/**
 * One migration runner at a time: a table that only one can create, its comment a lease.
 *
 * A lease that was not renewed is taken by renaming the table to a name out of its id, which only one can do.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '@tcptrail/schemas/app-error.ts';
import { failure } from '../errors.ts';
import type { MigrationClient } from './migrate.ts';

export interface MigrationLock {
  /** Waits for another runner at most `waitMsMax`; throws MIGRATION_LOCKED then. */
  acquire(waitMsMax: number): Promise<void>;
  renew(): Promise<void>;
  release(): Promise<void>;
}

const LEASE_MS = 30_000;
const POLL_MS = 250;

export function createMigrationLock(client: MigrationClient, leaseMs: number = LEASE_MS): MigrationLock {
  const table = `${client.database}.migration_lock`;
  const until = (): string => String(Date.now() + leaseMs);

  async function create(): Promise<boolean> {
    try {
      await client.statement(`CREATE TABLE ${table} (held UInt8) ENGINE = Memory COMMENT '${until()}'`);
      return true;
    } catch (error) {
      if (error instanceof AppError && /TABLE_ALREADY_EXISTS/.test(error.message)) return false;
      throw error;
    }
  }

  /** Another runner may be faster at any of these steps; then the next look finds its lock. */
  async function takeExpired(): Promise<void> {
    const [held] = await client.query<{ uuid: string; comment: string }>(
      `SELECT toString(uuid) AS uuid, comment FROM system.tables WHERE database = {database:String} AND name = 'migration_lock'`,
      { database: client.database },
    );
    if (!held || Number(held.comment) > Date.now()) return;
    const stale = `${table}_${held.uuid.replaceAll('-', '')}`;
    await client.statement(`RENAME TABLE ${table} TO ${stale}`).catch(() => undefined);
    await client.statement(`DROP TABLE IF EXISTS ${stale}`);
  }

  return {
    async acquire(waitMsMax) {
      for (let waited = 0; !(await create()); waited += POLL_MS) {
        if (waited >= waitMsMax) {
          throw failure(
            'MIGRATION_LOCKED',
            `another runner has been migrating database ${client.database} for ${Math.round(waited / 1000)} s; wait for it`,
          );
        }
        await takeExpired();
        await sleep(POLL_MS);
      }
    },
    renew: () => client.statement(`ALTER TABLE ${table} MODIFY COMMENT '${until()}'`),
    release: () => client.statement(`DROP TABLE IF EXISTS ${table}`),
  };
}

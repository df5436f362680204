/**
 * The right to store of an origin where no consumer group gives it: to a Lambda, to `tcptrail dlq retry`.
 *
 * Who stores asks the ledger first and inserts what is absent; two that ask at the same time would both insert. A
 * lock in ClickHouse keeps them apart: renewed while it is used, taken over when it was not.
 */
import { createHash } from 'node:crypto';
import { failure } from './errors.ts';
import { createTableLock } from './migrate/lock.ts';
import type { ClickHouse } from './store/clickhouse.ts';

/** As `Lease` of the transports: read just before each INSERT. */
export interface OriginLease {
  readonly signal: AbortSignal;
  /** Throws CONSUMER_PARTITION_LOST. */
  assertHeld(): void;
}

export interface OriginPlace {
  readonly origin: string;
  readonly originPartition: number;
}

const LEASE_MS = 15_000;
const RENEW_MS = 4_000;
/** Before the end of the lease, for an INSERT to reach the server where the next holder can see it, and for clocks. */
const KEPT_MS = 5_000;

/** Runs `use` under the lease. Rejects with ORIGIN_BUSY when another holds it for `waitMsMax`, and as `use` does. */
export async function withOriginLease<T>(
  clickhouse: ClickHouse,
  at: OriginPlace & { readonly waitMsMax: number },
  use: (lease: OriginLease) => Promise<T>,
): Promise<T> {
  const { origin, originPartition } = at;
  const name = createHash('sha256').update(`${origin}/${originPartition}`).digest('hex').slice(0, 32);
  const lock = createTableLock(clickhouse, {
    name: `storing_${name}`,
    leaseMs: LEASE_MS,
    refusal: (waitedMs) =>
      failure(
        'ORIGIN_BUSY',
        `another process stores ${origin} ${originPartition} since ${Math.round(waitedMs / 1000)} s or longer; wait for it and try again`,
      ),
  });
  const ended = new AbortController();
  let heldUntilMs = 0;
  const isHeld = (): boolean => performance.now() < heldUntilMs;
  const heldSince = (begunMs: number): void => {
    heldUntilMs = begunMs + LEASE_MS - KEPT_MS;
  };
  const lost = (): Error =>
    failure('CONSUMER_PARTITION_LOST', `the lock on ${origin} ${originPartition} was not renewed in time`);

  heldSince(await lock.acquire(at.waitMsMax));
  const renewing = setInterval(() => {
    const askedMs = performance.now();
    if (!isHeld()) ended.abort(lost());
    else
      void lock.renew().then(
        () => heldSince(askedMs),
        () => undefined,
      );
  }, RENEW_MS);
  try {
    return await use({
      signal: ended.signal,
      assertHeld() {
        if (!isHeld()) throw lost();
      },
    });
  } finally {
    clearInterval(renewing);
    // A lock that may be another's by now is left to run out.
    if (isHeld()) await lock.release().catch(() => undefined);
  }
}

/** Keeps what is under a hold and closes days, from time to time, beside the storing; of several consumers one at a time. */
import { AppError } from '@tcptrail/schemas/app-error.ts';
import type { Logger } from 'pino';
import { keepHeld } from '../keep/held-events.ts';
import type { Metrics } from '../metrics.ts';
import { type OriginLease, withOriginLease } from '../origin-lease.ts';
import type { ClickHouse } from '../store/clickhouse.ts';
import { type ClosedDay, closeDays } from './close-days.ts';

export interface TierKeeper {
  /** Looks at once, then every `everyMs`; 0 = never. */
  start(): void;
  /** Breaks off what is under way, which the next run of whichever consumer does again, and closes its ClickHouse. */
  stop(): Promise<void>;
}

export interface TierKeeperDeps {
  /** Of its own: a day takes longer than an INSERT. */
  readonly clickhouse: ClickHouse;
  readonly log: Logger;
  readonly metrics: Metrics;
}

export function createTierKeeper(
  { everyMs }: { readonly everyMs: number },
  deps: TierKeeperDeps,
): TierKeeper {
  const { clickhouse, log, metrics } = deps;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  let isStopped = false;

  async function look(): Promise<void> {
    try {
      const { copied } = await withKeepingLease(clickhouse, 0, () => keepHeld(clickhouse));
      metrics.heldRows.inc(copied);
      for (const { tier, day, rows } of await closeDaysOnce(clickhouse)) {
        metrics.tierDays.inc({ tier });
        log.info({ tier, day, rows }, `day ${day} is summed in tier ${tier}`);
      }
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      // Another consumer does it.
      if (error.code === 'ORIGIN_BUSY' || isStopped) return;
      metrics.tierFailures.inc({ code: error.code });
      log.warn(
        { code: error.code },
        `${error.message}; tiers and holds are looked at again in ${everyMs / 1000} s`,
      );
    }
  }

  return {
    start() {
      if (everyMs === 0) return;
      const again = (): void => {
        running = look().then(() => {
          if (!isStopped) timer = setTimeout(again, everyMs);
        });
      };
      timer = setTimeout(again, 0);
    },
    async stop() {
      isStopped = true;
      clearTimeout(timer);
      await clickhouse.close();
      await running;
    },
  };
}

/** Who holds it writes tiers, changes holds or forgets rows; nobody else does meanwhile. */
export async function withKeepingLease<T>(
  clickhouse: ClickHouse,
  waitMsMax: number,
  use: (lease: OriginLease) => Promise<T>,
): Promise<T> {
  return await withOriginLease(clickhouse, { origin: 'tiers', originPartition: 0, waitMsMax }, use);
}

/** Under a lock, as several consumers do. Rejects with ORIGIN_BUSY while another holds it, and as `closeDays`. */
export async function closeDaysOnce(
  clickhouse: ClickHouse,
  nowMs: number = Date.now(),
): Promise<readonly ClosedDay[]> {
  return await withKeepingLease(clickhouse, 0, (lease) => closeDays(clickhouse, { nowMs, lease }));
}

/** Closes days and keeps what is under a legal hold, from time to time, beside the storing; of several consumers one at a time. */
import { AppError } from '@tcptrail/schemas/app-error.ts';
import type { Logger } from 'pino';
import type { Metrics } from '../metrics.ts';
import type { ClosedDay } from './close-days.ts';

export interface TierKeeper {
  /** Looks at once, then every `everyMs`; 0 = never. */
  start(): void;
  /** Looks once, unless never; what fails is logged and left to the next consumer. Rejects with the first of it. */
  once(): Promise<void>;
  /** Breaks off what is under way, which whichever consumer is next does again. */
  stop(): Promise<void>;
}

export interface TierKeeperDeps {
  /** Rejects with ORIGIN_BUSY while another does it, and when `breakOff` was called. */
  readonly closeDays: () => Promise<readonly ClosedDay[]>;
  /** Gives how many rows it copied. Rejects likewise. */
  readonly keepHeld: () => Promise<number>;
  readonly breakOff: () => Promise<void>;
  readonly log: Logger;
  readonly metrics: Metrics;
}

export function createTierKeeper(
  { everyMs }: { readonly everyMs: number },
  deps: TierKeeperDeps,
): TierKeeper {
  const { closeDays, keepHeld, breakOff, log, metrics } = deps;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<unknown> = Promise.resolve();
  let isStopped = false;
  let isEnding = false;

  /** What fails of the one does not keep the other from its turn. */
  async function look(): Promise<AppError | undefined> {
    const ofHeld = await attempt(async () => {
      metrics.heldRows.inc(await keepHeld());
    });
    const ofDays = await attempt(async () => {
      for (const { tier, day, rows } of await closeDays()) {
        metrics.tierDays.inc({ tier });
        log.info({ tier, day, rows }, `day ${day} is summed in tier ${tier}`);
      }
    });
    return ofHeld ?? ofDays;
  }

  /** Gives what failed, unless another consumer does it. */
  async function attempt(task: () => Promise<void>): Promise<AppError | undefined> {
    try {
      await task();
      return undefined;
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      if (error.code === 'ORIGIN_BUSY' || isStopped) return undefined;
      metrics.tierFailures.inc({ code: error.code });
      const next = isEnding ? 'by the next consumer' : `in ${everyMs / 1000} s`;
      log.warn({ code: error.code }, `${error.message}; tiers and holds are looked at again ${next}`);
      return error;
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
    async once() {
      if (everyMs === 0) return;
      isEnding = true;
      const looking = look();
      running = looking;
      const failed = await looking;
      if (failed) throw failed;
    },
    async stop() {
      isStopped = true;
      clearTimeout(timer);
      await breakOff();
      await running;
    },
  };
}

/**
 * How signals end the consumer: the first in good order, the second at once, and at once as well when good order
 * takes longer than `stopWaitMsMax` and what is broken off then. Whatever was under way, the next start finds in the
 * ledger.
 */
import type { Logger } from 'pino';

/** For what was broken off to be told, and the group to be left. */
const FAREWELL_MS = 3_000;
/** A terminal and what runs in it may each hand on one Ctrl-C. */
const SAME_MS = 300;

/** Aborted with the first SIGTERM or SIGINT. */
export function endOnSignals(config: { readonly stopWaitMsMax: number }, log: Logger): AbortSignal {
  const ending = new AbortController();
  let firstMs = 0;

  function giveUp(why: string): void {
    log.fatal(`${why}: ended at once; what was not committed is read again, and stored once`);
    process.exit(1);
  }

  function end(signal: NodeJS.Signals): void {
    if (ending.signal.aborted) {
      if (performance.now() - firstMs > SAME_MS) giveUp(`a second ${signal}`);
      return;
    }
    firstMs = performance.now();
    log.info(`${signal}: finishing what is in hand, within ${config.stopWaitMsMax} ms`);
    ending.abort();
    const lateMs = config.stopWaitMsMax + FAREWELL_MS;
    setTimeout(() => giveUp(`${signal}, and not done within ${lateMs} ms`), lateMs).unref();
  }

  for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, end);
  return ending.signal;
}

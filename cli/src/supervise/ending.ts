/** The end of `up`: asked for by a signal, or because a part gave up. */
import { hasTerminal } from './terminal.ts';

/**
 * The first signal ends, the second forces; a part that gives up ends with its error. SIGHUP ends when the terminal
 * went away with it, else it asks for the configurations to be read again.
 */
export function createEnding(deps: { readonly onReload: () => void }) {
  const controller = new AbortController();
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const hadTerminal = hasTerminal();
  let force: () => void = () => {};
  let error: unknown;
  let wake: () => void = () => {};
  const ended = new Promise<never>((_resolve, reject) => {
    wake = () => reject(error ?? new Error('ended by a signal'));
  });
  ended.catch(() => {});
  const end = (signal: NodeJS.Signals): void => {
    if (signal === 'SIGHUP' && hadTerminal === hasTerminal()) {
      deps.onReload();
      return;
    }
    // The terminal that goes away may say so twice; only a person means it the second time.
    if (controller.signal.aborted && signal === 'SIGINT') force();
    controller.abort();
    wake();
  };
  for (const signal of signals) process.on(signal, end);
  return {
    signal: controller.signal,
    get error() {
      return error;
    },
    fail(cause: unknown) {
      error ??= cause;
      controller.abort();
      wake();
    },
    onForce(action: () => void) {
      force = () => {
        action();
        process.exitCode = 130;
      };
    },
    /** `work`, given up at the first signal. */
    race: <T>(work: Promise<T>): Promise<T> => Promise.race([work, ended]),
    release() {
      for (const signal of signals) process.off(signal, end);
    },
  };
}

/** The end of `up`: asked for by a signal, or because a part gave up. */

/** The first signal ends, the second forces; a part that gives up ends with its error. */
export function createEnding() {
  const controller = new AbortController();
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  let force: () => void = () => {};
  let error: unknown;
  let wake: () => void = () => {};
  const ended = new Promise<never>((_resolve, reject) => {
    wake = () => reject(error ?? new Error('ended by a signal'));
  });
  ended.catch(() => {});
  const end = (signal: NodeJS.Signals): void => {
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

/**
 * Partitions whose dead letters are refused: each waits by itself, twice as long after every try, and the others go on.
 */
import { AppError } from '@tcptrail/schemas/app-error.ts';

export interface Refusals {
  /** One that is told of. */
  readonly first: AppError | undefined;
  /** Milliseconds until the partition is to be tried again. */
  add(partition: number, error: AppError): number;
  /** Whether it was held up. */
  delete(partition: number): boolean;
  clear(): void;
}

export function isRefusal(error: unknown): error is AppError {
  return error instanceof AppError && error.code === 'CONSUMER_LETTER_REFUSED';
}

export function createRefusals(config: {
  readonly waitMsFirst: number;
  readonly waitMsMax: number;
}): Refusals {
  const held = new Map<number, { readonly error: AppError; readonly waitMs: number }>();
  return {
    get first() {
      return held.values().next().value?.error;
    },
    add(partition, error) {
      const before = held.get(partition)?.waitMs;
      const waitMs = before === undefined ? config.waitMsFirst : Math.min(config.waitMsMax, 2 * before);
      held.set(partition, { error, waitMs });
      return waitMs;
    },
    delete: (partition) => held.delete(partition),
    clear: () => held.clear(),
  };
}

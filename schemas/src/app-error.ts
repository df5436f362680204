/**
 * An operating error: something outside the program is wrong, and a person can mend it.
 *
 * `message` gives what, the value and the remedy in one sentence. `exitCode`: 1 failed, 2 wrong usage or
 * configuration, 3 not supported here. A broken invariant is no AppError: it is an assertion.
 */
export class AppError extends Error {
  readonly code: string;
  readonly exitCode: number;

  constructor(code: string, message: string, options: { cause?: unknown; exitCode?: number } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.exitCode = options.exitCode ?? 1;
  }
}

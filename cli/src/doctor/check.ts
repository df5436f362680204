/** One thing that `doctor` looked at. */
import type { AppError } from '@tcptrail/schemas/app-error.ts';

export interface Check {
  readonly name: string;
  readonly status: 'ok' | 'warn' | 'fail';
  /** What was found; for a failure, what is wrong. */
  readonly found: string;
  /** What to do; '' when all is well. */
  readonly remedy: string;
  /** The agent can never run here as it is: exit code 3. */
  readonly unsupported?: true;
}

export const ok = (name: string, found: string): Check => ({ name, status: 'ok', found, remedy: '' });
export const warn = (name: string, found: string, remedy: string): Check => ({
  name,
  status: 'warn',
  found,
  remedy,
});
export const fail = (name: string, found: string, remedy: string): Check => ({
  name,
  status: 'fail',
  found,
  remedy,
});
export const unsupported = (name: string, found: string, remedy: string): Check => ({
  ...fail(name, found, remedy),
  unsupported: true,
});

/** What an operating error says: its sentence ends in its remedy. */
export function refused(name: string, error: AppError, status: 'warn' | 'fail' = 'fail'): Check {
  const [found = '', ...remedy] = error.message.split('; ');
  return { name, status, found, remedy: remedy.join('; ') };
}

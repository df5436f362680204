/** One thing that `doctor` looked at. */

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

/** `tcptrail agent` and `tcptrail consumer`: the part itself, with its own options. */
import { flagsOf, programOf } from './supervise/parts.ts';

/** Becomes the part: same pid, terminal and environment, so signals and exit code are its own. */
export function part(name: 'agent' | 'consumer', args: readonly string[]): never {
  if (!process.execve) throw new Error('this Node.js cannot execve');
  const command = [process.execPath, ...flagsOf(name), programOf(name), ...args];
  return process.execve(process.execPath, command, { ...process.env });
}

/**
 * One agent a spool and an instance: whole-file locks (flock), which the kernel takes back when the process ends,
 * however it ends, and which hold across network namespaces, where an abstract socket would not.
 */
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { agentError, reasonOf } from '../errors.ts';
import { makeFolder } from './make-folder.ts';

export interface AgentLocks {
  /** Throws AGENT_LOCKED when another agent holds one of them, AGENT_LOCK_UNUSABLE or AGENT_SPOOL_UNUSABLE when its file cannot be made. */
  take(): void;
  release(): void;
}

export function createAgentLocks(
  config: { readonly instance: string; readonly spoolPath: string; readonly runPath?: string },
  deps: { readonly lock: (fd: number) => boolean },
): AgentLocks {
  const files = [
    { what: 'instance', path: join(config.runPath ?? '/run/tcptrail', `agent-${config.instance}.lock`) },
    { what: 'spool', path: join(config.spoolPath, 'lock') },
  ];
  const held: number[] = [];

  function takeOne(what: string, path: string): void {
    let fd: number;
    try {
      makeFolder(dirname(path));
      fd = openSync(path, 'a', 0o640);
    } catch (error) {
      const code = what === 'spool' ? 'AGENT_SPOOL_UNUSABLE' : 'AGENT_LOCK_UNUSABLE';
      throw agentError(code, [path, reasonOf(error)], { cause: error });
    }
    held.push(fd);
    if (!deps.lock(fd)) throw agentError('AGENT_LOCKED', [config.instance, config.spoolPath, what]);
  }

  function release(): void {
    for (const fd of held.splice(0)) closeSync(fd);
  }

  return {
    take() {
      try {
        for (const { what, path } of files) takeOne(what, path);
      } catch (error) {
        release();
        throw error;
      }
      // Of one that did not get both, nothing is in the kernel.
      for (const fd of held) note(fd, `${process.pid}\n${resolve(config.spoolPath)}\n`);
    },
    release,
  };
}

/** Who holds it, and whose the recording is when nobody does; a full disk must not stop the agent. */
function note(fd: number, holder: string): void {
  try {
    ftruncateSync(fd, 0);
    writeSync(fd, holder);
  } catch {
    // The lock holds without it.
  }
}

/** What runs: the supervisor and its parts, or an agent by itself. */
import { readFileSync } from 'node:fs';
import { agentLock, type Places } from '../supervise/places.ts';
import { isAlive } from '../supervise/process-info.ts';
import type { RunFile } from '../supervise/run-file.ts';
import { type Check, fail, ok, warn } from './check.ts';

export function runningChecks(places: Places, run: RunFile | undefined): readonly Check[] {
  const strange = agentPid(places.instance);
  if (strange !== undefined && strange !== run?.parts['agent']?.pid) {
    return [
      warn(
        'agent',
        `an agent of instance ${places.instance} runs outside this 'up' (pid ${strange})`,
        "end it before 'tcptrail up', or give this one its own --instance",
      ),
    ];
  }
  if (!run) return [ok('up', `nothing runs for ${places.name}; start it with 'sudo tcptrail up'`)];
  const dead = ['clickhouse', 'agent', 'consumer'].filter((part) => {
    const process = run.parts[part];
    return !process || !isAlive(process);
  });
  if (dead.length === 0) return [ok('up', `runs (pid ${run.supervisor.pid}) with all its parts`)];
  return [
    fail(
      'up',
      `runs (pid ${run.supervisor.pid}) without ${dead.join(' and ')}`,
      `see the logs in ${places.log}; the supervisor starts it again`,
    ),
  ];
}

/** The agent that holds the lock of `instance`; undefined when none does. */
function agentPid(instance: string): number | undefined {
  try {
    const pid = Number(readFileSync(agentLock(instance), 'utf8').trim());
    // The file outlives its process, and pids come round again.
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('agent/src/main.ts') ? pid : undefined;
  } catch {
    return undefined;
  }
}

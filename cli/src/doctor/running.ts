/** What runs: the supervisor and its parts, or an agent by itself. */
import { isPinned } from '@tcptrail/agent/trace/pins.ts';
import { agentPid, ownsInstance } from '../supervise/agent-pid.ts';
import { agentLock, type Places } from '../supervise/places.ts';
import { isAlive } from '../supervise/process-info.ts';
import type { RunFile } from '../supervise/run-file.ts';
import { type Check, fail, ok, warn } from './check.ts';

export function runningChecks(places: Places, run: RunFile | undefined): readonly Check[] {
  const strange = agentPid(agentLock(places.instance));
  if (strange !== undefined && strange !== run?.parts['agent']?.pid) {
    return [
      warn(
        'agent',
        `an agent of instance ${places.instance} runs outside this 'up' (pid ${strange})`,
        "end it before 'tcptrail up', or give this one its own --instance",
      ),
    ];
  }
  if (!run && isPinned(places.instance) && ownsInstance(places)) {
    return [
      warn(
        'recording',
        `nothing runs for ${places.name}, and the kernel goes on recording for the agent that comes back`,
        "start it again, or end that with 'sudo tcptrail stop'",
      ),
    ];
  }
  if (!run) return [ok('up', `nothing runs for ${places.name}; start it with 'sudo tcptrail up'`)];
  const kafka = run.route.kind === 'kafka' && run.route.isLocal ? ['kafka'] : [];
  const dead = ['clickhouse', ...kafka, 'agent', 'consumer'].filter((part) => {
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

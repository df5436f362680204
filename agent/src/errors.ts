/**
 * Every operating error of the agent outside `trace/` and its configuration: code → exit code and sentence.
 *
 * A sentence gives what, the value, the remedy. Codes are stable.
 */
import { AppError } from '@tcptrail/schemas/app-error.ts';

interface Entry<Args extends readonly string[]> {
  readonly exitCode: 1 | 2 | 3;
  readonly message: (...args: Args) => string;
}

const entry = <Args extends readonly string[]>(
  exitCode: Entry<Args>['exitCode'],
  message: Entry<Args>['message'],
): Entry<Args> => ({ exitCode, message });

export const AGENT_ERRORS = {
  AGENT_USAGE: entry(
    2,
    (problem: string) => `${problem}; usage: agent [--config FILE] [--check | --print-config | --end]`,
  ),
  AGENT_NATIVE_MISSING: entry(
    3,
    (reason: string) => `cannot load the native module ffi-napi (${reason}); run 'make deps' on this machine`,
  ),
  AGENT_HOST_UNREADABLE: entry(
    3,
    (file: string, reason: string) => `cannot read ${file} (${reason}); tcptrail needs /proc of a Linux host`,
  ),
  AGENT_LOCKED: entry(
    1,
    (instance: string, spool: string, what: string) =>
      `another agent already uses the ${what} (instance ${instance}, spool ${spool}); stop it, or give this one its own instance and spool.path`,
  ),
  AGENT_LOCK_UNUSABLE: entry(
    1,
    (file: string, reason: string) => `cannot make the lock file ${file} (${reason}); run the agent as root`,
  ),
  AGENT_START_AGAIN: entry(
    1,
    () =>
      'the agent ends to attach its programs again, which takes root; its supervisor is to start it, or privilege.user to be empty',
  ),
  AGENT_SPOOL_UNUSABLE: entry(
    1,
    (path: string, reason: string) =>
      `cannot use the spool folder ${path} (${reason}); make it writable or set spool.path`,
  ),
  AGENT_SPOOL_LINK: entry(
    1,
    (path: string) =>
      `${path} is a link, and the agent would write where it leads; remove it, nobody but an attacker makes one there`,
  ),
  AGENT_SPOOL_WRITE: entry(
    1,
    (path: string, reason: string) =>
      `cannot write to the spool ${path} (${reason}); free space or mend the disk, events wait in memory and then in the rings`,
  ),
  AGENT_SPOOL_FULL: entry(
    1,
    (bytes: string, path: string) =>
      `spool full: ${bytes} bytes at ${path}, its oldest segment was dropped; start its reader or raise spool.bytesMax`,
  ),
  AGENT_SPOOL_AGED: entry(
    1,
    (ms: string, path: string) =>
      `spool too old: a segment at ${path} waited more than ${ms} ms and was dropped unread; start its reader or raise spool.ageMaxMs`,
  ),
  AGENT_SPOOL_UNSPOOLED: entry(
    1,
    (count: string, path: string, reason: string) =>
      `stopped with ${count} batches that the spool ${path} did not take (${reason}); free space, the next start tells what they held`,
  ),
  AGENT_STATES_LEFT: entry(
    1,
    (epochs: string) =>
      `what was recorded is not told to its end (kernel epoch ${epochs}) and stays in the kernel; see the log why, the next start tells it`,
  ),
  AGENT_DISABLED: entry(
    3,
    (file: string) => `this host is not to be recorded: ${file} is there; remove it and start the agent`,
  ),
  AGENT_DISABLED_UNKNOWN: entry(
    3,
    (file: string, reason: string) =>
      `cannot tell whether ${file} is there (${reason}); let the agent's user look into its folder, or set guest.disabledFile`,
  ),
  AGENT_CRASHED: entry(
    1,
    (count: string, seconds: string) =>
      `the agent crashed or was killed ${count} times in a row before it ran a minute; it waits ${seconds} s before it records, find out why`,
  ),
  AGENT_PRIORITY: entry(
    1,
    (setting: string, reason: string) =>
      `cannot set ${setting} (${reason}); going on without, give the agent CAP_SYS_NICE and CAP_SYS_RESOURCE or change ${setting}`,
  ),
  AGENT_CEILING: entry(
    1,
    (reason: string, cost: string) =>
      `${reason}; it goes on without ${cost}, raise the ceiling or record less`,
  ),
  AGENT_HELD_UP: entry(
    1,
    (seconds: string) =>
      `the agent did not run for ${seconds} s; events of that time waited in the rings and come late, find out who stopped it`,
  ),
  AGENT_BUDGET: entry(
    1,
    (bytes: string, left: string) =>
      `little is left of ${bytes} bytes a day, so this is not recorded: ${left}; raise budget.bytesPerDay, or leave more out by filters`,
  ),
  AGENT_BUDGET_SHORT: entry(
    1,
    (bytes: string, least: string) =>
      `budget.bytesPerDay is ${bytes}, but heartbeats alone take about ${least}: nothing else will be recorded for long; raise it, or batch.heartbeatMs`,
  ),
  AGENT_METRICS_PORT: entry(
    1,
    (address: string, reason: string) =>
      `cannot serve metrics on ${address} (${reason}); going on without, free the port or set metrics.port`,
  ),
} as const;

export type AgentErrorCode = keyof typeof AGENT_ERRORS;
type ArgsOf<Code extends AgentErrorCode> = Parameters<(typeof AGENT_ERRORS)[Code]['message']>;

/** The error of `code`, its sentence filled with `args` in the order of the catalogue. */
export function agentError<Code extends AgentErrorCode>(
  code: Code,
  args: ArgsOf<Code>,
  options: { cause?: unknown } = {},
): AppError {
  const { exitCode, message } = AGENT_ERRORS[code];
  const sentence = (message as (...parts: readonly string[]) => string)(...args);
  return new AppError(code, sentence, { ...options, exitCode });
}

/** What a person needs of a system error: its code, else its message. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return (error as NodeJS.ErrnoException).code ?? error.message;
}

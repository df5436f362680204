/**
 * Every operating error of the command line: code → exit code and sentence.
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

export const CLI_ERRORS = {
  CLI_USAGE: entry(2, (problem: string, help: string) => `${problem}; see '${help} --help'`),
  CLI_NOT_ROOT: entry(
    3,
    (command: string) =>
      `'tcptrail ${command}' needs root to load programs into the kernel; run it with sudo`,
  ),
  CLI_ALREADY_RUNS: entry(
    1,
    (place: string, pid: string) =>
      `tcptrail already runs for ${place} (pid ${pid}); end it with 'tcptrail stop', or give this one its own --instance and --home`,
  ),
  CLI_PORT_TAKEN: entry(
    1,
    (address: string, holder: string, option: string) =>
      `port ${address} is taken${holder}; free it, or choose another with ${option}`,
  ),
  CLI_ADDRESS_UNUSABLE: entry(
    1,
    (address: string, reason: string, option: string) =>
      `cannot listen on ${address} (${reason}); choose another with ${option}`,
  ),
  CLI_FOLDER_UNUSABLE: entry(
    1,
    (folder: string, reason: string) =>
      `cannot use the folder ${folder} (${reason}); make it writable, or give --home`,
  ),
  CLI_HOME_STRANGE: entry(
    2,
    (home: string) => `${home} holds files that are not tcptrail's; give --home a new or empty folder`,
  ),
  CLI_USER_UNMADE: entry(
    1,
    (user: string, reason: string) =>
      `cannot make the system user ${user} (${reason}); make it by hand, or give --user an existing one`,
  ),
  CLI_USER_UNKNOWN: entry(
    2,
    (user: string) => `there is no user ${user}; make it, or give --user an existing one`,
  ),
  CLI_TOOL_MISSING: entry(
    3,
    (tool: string, where: string) => `${tool} is not on this machine; install the package ${where}`,
  ),
  CLI_PART_FAILED: entry(
    1,
    (part: string, reason: string, log: string) => `${part} did not start: ${reason}; its log is ${log}`,
  ),
  CLI_PART_ENDED: entry(
    1,
    (part: string, reason: string, log: string) =>
      `${part} ended, so everything was stopped: ${reason}; its log is ${log}`,
  ),
  CLI_PART_CRASHES: entry(
    1,
    (part: string, times: string, reason: string, log: string) =>
      `${part} ended ${times} times in a row (${reason}), so everything was stopped; its log is ${log}`,
  ),
  CLI_KAFKA_UNUSABLE: entry(
    3,
    (reason: string, remedy: string) =>
      `cannot start a local Kafka (${reason}); ${remedy}, or give --brokers of one that runs`,
  ),
  CLI_KAFKA_DOUBT: entry(
    1,
    (why: string) =>
      `${why}, so storing the spool directly could double rows; run 'tcptrail up --kafka' once more and stop it cleanly`,
  ),
  CLI_SPOOL_UNSTORED: entry(
    1,
    (spool: string, reason: string, log: string) =>
      `what waits in ${spool} could not be stored before Kafka takes over (${reason}); mend that and start again, the log is ${log}`,
  ),
  CLI_NO_SPOOL: entry(
    1,
    (path: string) =>
      `there is no spool at ${path}; start 'tcptrail up' or 'tcptrail agent' once, or give its folder with --path`,
  ),
  CLI_SPOOL_UNREADABLE: entry(
    1,
    (path: string, reason: string) =>
      `cannot read ${path} (${reason}); run it as root or as a user of the group tcptrail, or give another spool with --path`,
  ),
  CLI_SPOOL_IN_USE: entry(
    1,
    (spool: string, pid: string) =>
      `an agent outside this 'up' writes the spool ${spool} (pid ${pid}); end it, or give this one its own --home`,
  ),
  CLI_NOT_STOPPED: entry(
    1,
    (pid: string, seconds: string) =>
      `tcptrail (pid ${pid}) did not end within ${seconds} s; wait for it, or end it with 'tcptrail stop --force'`,
  ),
  CLI_RECORDING_LEFT: entry(
    1,
    (instance: string, problem: string) =>
      `what the kernel records for instance ${instance} could not be ended: ${problem}; mend that, or give up what it holds with 'tcptrail stop --force'`,
  ),
  CLI_NOT_CONFIRMED: entry(
    2,
    (command: string) =>
      `'tcptrail ${command}' deletes data and asks before it does; without a terminal give --yes`,
  ),
  CLI_NO_LETTER: entry(
    2,
    (id: string, place: string) => `there is no letter ${id} in ${place}; see 'tcptrail dlq list --all'`,
  ),
  CLI_LETTER_STORED: entry(
    2,
    (id: string) => `letter ${id} is stored, so there is nothing to discard; leave it out`,
  ),
  CLI_LETTER_HELD: entry(
    1,
    (letters: string, holds: string) =>
      `${letters} under a legal hold, so nothing was discarded: ${holds}; end it with 'tcptrail hold end', or give --except-held to discard the others`,
  ),
  CLI_FILE_UNREADABLE: entry(
    2,
    (file: string, reason: string) => `cannot read ${file} (${reason}); give the path of a readable file`,
  ),
  CLI_EXPORT_NO_DAYS: entry(
    2,
    (table: string, database: string) =>
      `database ${database} has no table or view ${table} with a column day; give --table one that has`,
  ),
  CLI_EXPORT_OTHER: entry(
    2,
    (manifest: string) =>
      `${manifest} is of an export with other filters; give --to another folder, so that each holds one thing`,
  ),
  CLI_EXPORT_CHANGED: entry(
    1,
    (table: string, day: string) =>
      `rows of ${table} of ${day} come or go while they are written; try again when that has ended`,
  ),
  CLI_NO_EXPORT: entry(
    2,
    (folder: string) =>
      `${folder} holds no days that 'tcptrail export' has written; give the folder that --to named`,
  ),
  CLI_FORGET_HELD: entry(
    1,
    (rows: string, holds: string) =>
      `${rows} under a legal hold, so nothing was forgotten: ${holds}; end it with 'tcptrail hold end', or give --except-held to forget the others`,
  ),
  CLI_HOLD_NOT_COPIED: entry(
    1,
    (id: string, problem: string) =>
      `hold ${id} binds, and its rows are not all in held_events yet: ${problem}; a running consumer tries the copy again (tiers.closeMs)`,
  ),
  CLI_FORGET_STUCK: entry(
    1,
    (table: string, reason: string) =>
      `ClickHouse cannot delete from ${table} (${reason}); it goes on trying: mend that, then run the same again`,
  ),
  CLI_NO_HOLD: entry(2, (id: string) => `there is no hold ${id} that binds; see 'tcptrail hold list'`),
  CLI_BACKUP_THERE: entry(
    2,
    (folder: string) => `${folder} holds files already; give --to a new or empty folder`,
  ),
  CLI_BACKUP_CHANGED: entry(
    1,
    (table: string) => `rows of ${table} come or go while they are written; try again when that has ended`,
  ),
  CLI_BACKUP_NONE: entry(
    2,
    (folder: string) =>
      `${folder} holds no whole backup, as backup.json is missing; give --from a folder of 'tcptrail backup' that ended`,
  ),
  CLI_BACKUP_NEWER: entry(
    1,
    (folder: string) => `the backup in ${folder} is of a newer tcptrail; update this one`,
  ),
  CLI_BACKUP_DAMAGED: entry(
    1,
    (file: string) => `${file} is not what backup.json says of it; take another copy of the backup`,
  ),
  CLI_RESTORE_NOT_EMPTY: entry(
    2,
    (database: string, table: string) =>
      `database ${database} has rows already, in ${table}, and nothing of it is overwritten; give --database another name, or drop it first`,
  ),
  CLI_RESTORE_DIFFERS: entry(
    1,
    (table: string, difference: string) =>
      `${table} is not what was backed up: ${difference}; end whoever writes to it and run the same again`,
  ),
  CLI_IMPORT_REFUSED: entry(
    1,
    (file: string, reason: string) =>
      `ClickHouse takes not all of ${file} (${reason}); report this with the file, nothing of it is lost: import it again when it is mended`,
  ),
  CLI_CLICKHOUSE_UNREACHABLE: entry(
    1,
    (url: string, reason: string) =>
      `ClickHouse does not answer at ${url} (${reason}); start it with 'tcptrail up', or give --url`,
  ),
  CLI_NO_CLICKHOUSE: entry(
    1,
    (url: string, answer: string) =>
      `what answers at ${url} is not ClickHouse (${answer}); give the right --url`,
  ),
  CLI_CLICKHOUSE_DENIED: entry(
    1,
    (url: string, user: string) =>
      `ClickHouse at ${url} refuses user ${user}; give the right --user and --password-file`,
  ),
  CLI_QUERY_FAILED: entry(1, (sentence: string, code: string) => `${sentence} (ClickHouse code ${code})`),
  CLI_READ_ONLY: entry(
    1,
    (user: string) =>
      `user ${user} may only read, and this statement is no question; give --user default to change data`,
  ),
  CLI_QUESTION_UNKNOWN: entry(
    2,
    (name: string, hint: string) => `there is no question ${name}; ${hint}see 'tcptrail ask --list'`,
  ),
  CLI_NO_QUESTION: entry(
    2,
    (words: string) => `no question has the words ${words}; give fewer, or see 'tcptrail ask --list'`,
  ),
  CLI_PARAMETER_MISSING: entry(
    2,
    (question: string, option: string, meaning: string) =>
      `${question} needs ${option} <value> (${meaning}); see 'tcptrail ask ${question} --explain'`,
  ),
  CLI_BINARY_TERMINAL: entry(
    2,
    (format: string) => `${format} is binary and no text for a terminal; give --output FILE, or pipe it`,
  ),
  CLI_FILE_UNWRITABLE: entry(
    1,
    (file: string, reason: string) => `cannot write ${file} (${reason}); make room, or give another path`,
  ),
  CLI_NO_TABLES: entry(
    1,
    (url: string, database: string) =>
      `ClickHouse at ${url} has no tcptrail tables in database ${database}; start 'tcptrail up' or 'tcptrail consumer' once, or give --database`,
  ),
} as const;

export type CliErrorCode = keyof typeof CLI_ERRORS;
type ArgsOf<Code extends CliErrorCode> = Parameters<(typeof CLI_ERRORS)[Code]['message']>;

/** The error of `code`, its sentence filled with `args` in the order of the catalogue. */
export function cliError<Code extends CliErrorCode>(
  code: Code,
  args: ArgsOf<Code>,
  options: { readonly cause?: unknown } = {},
): AppError {
  const { exitCode, message } = CLI_ERRORS[code];
  const sentence = (message as (...parts: readonly string[]) => string)(...args);
  return new AppError(code, sentence, { ...options, exitCode });
}

/** What a person needs of a system error: its code, else its message. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = (error as NodeJS.ErrnoException).code;
  return code ?? (error.message || error.name);
}

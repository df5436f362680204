/**
 * Every way a configuration can be wrong: code → sentence. All of them end a program with exit code 2.
 *
 * A sentence gives what, the value, the remedy. Codes are stable.
 */
import { AppError } from '@tcptrail/schemas/app-error.ts';

const EXIT_CODE = 2;

export const CONFIG_ERRORS = {
  CONFIG_MISSING: (file: string) => `no configuration at ${file}; give --config an existing file`,
  CONFIG_UNREADABLE: (file: string, reason: string) =>
    `cannot read configuration ${file} (${reason}); give --config a file that this user may read`,
  CONFIG_SYNTAX: (file: string, line: string, column: string, problem: string) =>
    `${file} is not valid YAML at line ${line}, column ${column}: ${problem}; mend that line`,
  CONFIG_EMPTIED: (file: string) =>
    `${file} held keys and holds none now; write them again, or start anew where the defaults are meant`,
  CONFIG_NO_KEYS: (file: string, first: string) =>
    `${file} holds no keys; write them as "${first}:", one a line`,
  CONFIG_UNKNOWN_KEY: (key: string, file: string, hint: string) => `unknown key ${key} in ${file}; ${hint}`,
  CONFIG_INVALID: (where: string, problem: string, remedy: string) => `${where} ${problem}; ${remedy}`,
  CONFIG_NOT_SET: (key: string, remedy: string, file: string, variable: string) =>
    `${key} is not set; ${remedy}, in ${file} or as ${variable}`,
  CONFIG_SECRET_UNREADABLE: (key: string, file: string, reason: string) =>
    `${key} names ${file}, which cannot be read (${reason}); correct the path or make it readable for this user`,
} as const;

export type ConfigErrorCode = keyof typeof CONFIG_ERRORS;

/** The error of `code`, its sentence filled with `args` in the order of the catalogue. */
export function configError<Code extends ConfigErrorCode>(
  code: Code,
  args: Parameters<(typeof CONFIG_ERRORS)[Code]>,
  options: { readonly cause?: unknown } = {},
): AppError {
  const sentence = CONFIG_ERRORS[code] as (...parts: readonly string[]) => string;
  return new AppError(code, sentence(...args), { ...options, exitCode: EXIT_CODE });
}

/** What a person needs of a system error: its code, else its message. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return (error as NodeJS.ErrnoException).code ?? error.message;
}

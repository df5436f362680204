/** The spool's error catalogue: every code once, with what it means. */
import { AppError } from '@tcptrail/schemas/app-error.ts';

export const SPOOL_ERRORS = {
  SPOOL_CURSOR: 'A cursor file cannot be read or written.',
  SPOOL_SEGMENT: 'A segment cannot be read.',
} as const;

export function spoolError(code: keyof typeof SPOOL_ERRORS, message: string, cause: unknown): AppError {
  return new AppError(code, message, { cause });
}

/** Files that the section `kafka` names. */
import { readFileSync } from 'node:fs';
import type { AppError } from '@tcptrail/schemas/app-error.ts';
import { kafkaError } from './errors.ts';

/** Throws KAFKA_FILE, which names the key. */
export function readNamed(key: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error);
    throw unfit(`${key} ${path} cannot be read (${reason}); make it readable`, error);
  }
}

/** KAFKA_FILE, which ends a part that starts with it. */
export function unfit(message: string, cause?: unknown): AppError {
  return kafkaError('KAFKA_FILE', message, { cause, exitCode: 2 });
}

/** Real captures and vectors that are no part of the project: `TCPTRAIL_DATA`, else beside the checkout. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = process.env['TCPTRAIL_DATA'] ?? join(import.meta.dirname, '../../../shared/data');

export const capture = (name: string): string => join(FOLDER, name);

/** Options of a test that reads it: where it is not there the test is skipped with the reason. */
export function needsCapture(name: string): { readonly skip: string | false } {
  return { skip: existsSync(capture(name)) ? false : `needs ${name} in ${FOLDER} (TCPTRAIL_DATA)` };
}

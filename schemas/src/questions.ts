/** The question library: every file of `schemas/clickhouse/questions`, by name. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseQuestion, type Question } from './question.ts';

export const QUESTIONS_FOLDER = join(import.meta.dirname, '../clickhouse/questions');

const SUFFIX = '.sql';

/** By name. Throws an Error that names the file that breaks the grammar. */
export function readQuestions(folder: string = QUESTIONS_FOLDER): readonly Question[] {
  const files = readdirSync(folder).filter((file) => file.endsWith(SUFFIX));
  return files
    .toSorted()
    .map((file) => parseQuestion(file.slice(0, -SUFFIX.length), readFileSync(join(folder, file), 'utf8')));
}

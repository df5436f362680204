/** The question library: every file of `schemas/clickhouse/questions`, by name. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseQuestion, type Question } from './question.ts';

export const QUESTIONS_FOLDER = join(import.meta.dirname, '../clickhouse/questions');

const SUFFIX = '.sql';

/** Names alone, which nothing is read for but the folder. */
export function questionNames(folder: string = QUESTIONS_FOLDER): readonly string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(SUFFIX))
    .map((file) => file.slice(0, -SUFFIX.length))
    .toSorted();
}

/** By name. Throws an Error that names the file that breaks the grammar. */
export function readQuestions(folder: string = QUESTIONS_FOLDER): readonly Question[] {
  return questionNames(folder).map((name) =>
    parseQuestion(name, readFileSync(join(folder, `${name}${SUFFIX}`), 'utf8')),
  );
}

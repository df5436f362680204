/** `tcptrail ask --list`: names and what they ask. */
import type { Question } from '@tcptrail/schemas/question.ts';
import { cliError } from '../errors.ts';
import { styleFor } from '../terminal/style.ts';
import { cut, pad } from '../terminal/width.ts';
import { withWords } from './names.ts';
import { optionOf } from './parameters.ts';

/** Throws CLI_NO_QUESTION where none holds all words. */
export function listQuestions(words: readonly string[], questions: readonly Question[]): void {
  const found = withWords(words, questions);
  if (found.length === 0) throw cliError('CLI_NO_QUESTION', [words.join(' ')]);
  const style = styleFor(process.stdout);
  const columns = process.stdout.isTTY ? process.stdout.columns : Number.POSITIVE_INFINITY;
  const nameColumns = Math.max(...found.map(({ name }) => name.length));
  for (const question of found) {
    const required = question.parameters.filter((parameter) => parameter.defaultText === undefined);
    const needs = required.map((parameter) => ` (${optionOf(parameter)})`).join('');
    const text = cut(`${question.question}${needs}`, columns - nameColumns - 2);
    process.stdout.write(`${style('bold', pad(question.name, nameColumns))}  ${text}\n`);
  }
}

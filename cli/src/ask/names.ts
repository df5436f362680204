/** Questions by name and by the words in them. */
import { closest } from '@tcptrail/config/closest.ts';
import type { Question } from '@tcptrail/schemas/question.ts';
import { cliError } from '../errors.ts';

const SUGGESTIONS_MAX = 3;

/** Throws CLI_QUESTION_UNKNOWN with the nearest names. */
export function questionOf(name: string, questions: readonly Question[]): Question {
  const found = questions.find((question) => question.name === name);
  if (found) return found;
  const near = nearest(
    name,
    questions.map((question) => question.name),
  );
  const hint = near.length === 0 ? '' : `did you mean ${near.join(' or ')}? `;
  throw cliError('CLI_QUESTION_UNKNOWN', [name, hint]);
}

/** A slip of the keys first, then names that share the most words. */
export function nearest(name: string, names: readonly string[]): readonly string[] {
  const slip = closest(name, names);
  const words = name.toLowerCase().split(/[^a-z0-9]+/);
  const shared = (candidate: string): number =>
    candidate.split('-').filter((word) => words.some((own) => own.length > 2 && sameWord(own, word))).length;
  const byWords = names
    .filter((candidate) => candidate !== slip && shared(candidate) > 0)
    .toSorted((one, other) => shared(other) - shared(one));
  return [...(slip === undefined ? [] : [slip]), ...byWords].slice(0, SUGGESTIONS_MAX);
}

const sameWord = (one: string, other: string): boolean =>
  one === other || one.startsWith(other) || other.startsWith(one) || closest(one, [other]) !== undefined;

/** Those that hold every word in name, question or why. */
export function withWords(words: readonly string[], questions: readonly Question[]): readonly Question[] {
  return questions.filter(({ name, question, why }) => {
    const text = `${name} ${question} ${why}`.toLowerCase();
    return words.every((word) => text.includes(word.toLowerCase()));
  });
}

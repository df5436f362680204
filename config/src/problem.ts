/** What a schema found wrong, as one error that names the key or the variable, its value and the remedy. */
import type { AppError } from '@tcptrail/schemas/app-error.ts';
import type { z } from 'zod';
import { closest } from './closest.ts';
import { configError } from './errors.ts';
import { type ConfigKey, isAt, namesBelow, withinItems } from './keys.ts';
import { SECRET_SHOWN, withoutLoginsIn } from './secret.ts';
import { valueAt } from './tree.ts';

type Issue = z.core.$ZodIssue;

export interface Sources {
  readonly keys: readonly ConfigKey[];
  readonly file: string;
  /** Variables that stand over the file. */
  readonly variables: readonly string[];
  /** File and environment, as they were given. */
  readonly tree: unknown;
}

const VALUE_CHARACTERS_MAX = 80;

/** The first of `issues`, an unknown key before all: it is often the reason of the others. */
export function problemOf(issues: readonly Issue[], sources: Sources): AppError {
  for (const issue of issues) {
    if (issue.code === 'unrecognized_keys') return unknownKey(issue.path, issue.keys[0] ?? '', sources);
  }
  const [issue] = issues;
  if (!issue) throw new Error('a schema refused a configuration and did not say why');
  const { keys, path } = withinItems(sources.keys, issue.path);
  const key = keys.find((one) => isAt(one, path));
  if (!key) return wrongSection(issue, sources);
  const isItem = path.length > key.path.length;
  return wrongValue(issue, { ...key, wanted: isItem ? key.itemWanted : key.wanted }, sources);
}

function unknownKey(path: readonly PropertyKey[], name: string, { keys, file }: Sources): AppError {
  const within = withinItems(keys, path);
  const known = namesBelow(within.keys, within.path);
  const near = closest(name, known);
  const hint = `known here: ${known.join(', ')}`;
  const meant = near === undefined ? hint : `did you mean ${dotted([...path, near])}? ${hint}`;
  return configError('CONFIG_UNKNOWN_KEY', [dotted([...path, name]), file, meant]);
}

function wrongValue(issue: Issue, key: ConfigKey, { tree, file, variables }: Sources): AppError {
  const value = valueAt(tree, issue.path);
  const remedy = ownRemedy(issue) ?? `give ${key.wanted}${quotes(issue, value)}`;
  if (value === undefined && key.variable !== '')
    return configError('CONFIG_NOT_SET', [key.name, remedy, file, key.variable]);
  const where = variables.includes(key.variable) ? key.variable : `${dotted(issue.path)} in ${file}`;
  const shown = key.isSecret ? SECRET_SHOWN : shownValue(value);
  return configError('CONFIG_INVALID', [
    where,
    value === null || value === undefined ? 'has no value' : `is ${shown}`,
    remedy,
  ]);
}

/** A section that is none, or whose keys do not go together. */
function wrongSection(issue: Issue, { keys, file }: Sources): AppError {
  const where = issue.path.length === 0 ? file : `${dotted(issue.path)} in ${file}`;
  const custom = ownRemedy(issue);
  if (custom !== undefined) return configError('CONFIG_INVALID', [where, 'does not hold together', custom]);
  const within = withinItems(keys, issue.path);
  const names = namesBelow(within.keys, within.path).join(', ');
  return configError('CONFIG_INVALID', [where, 'holds no keys', `give them below it: ${names}`]);
}

/** YAML reads 123 and true as no text, whatever they were meant to be. */
function quotes(issue: Issue, value: unknown): string {
  const wantsText = issue.code === 'invalid_type' && issue.expected === 'string';
  return wantsText && ['number', 'boolean'].includes(typeof value) ? ', in quotes' : '';
}

/** What a check of the schema's own says: its message begins with "must". */
function ownRemedy({ code, message }: Issue): string | undefined {
  if (message.startsWith('must ')) return `it ${message}`;
  return code === 'custom' && message !== 'Invalid input' ? message : undefined;
}

function shownValue(value: unknown): string {
  const shown = JSON.stringify(value, withoutLoginsIn) ?? '';
  return shown.length > VALUE_CHARACTERS_MAX ? `${shown.slice(0, VALUE_CHARACTERS_MAX)}…` : shown;
}

function dotted(path: readonly PropertyKey[]): string {
  return path.map(String).join('.');
}

/**
 * A question of `schemas/clickhouse/questions`: a head of comment lines, then one SELECT with bound parameters.
 *
 *   -- question: One sentence that ends in a question mark.
 *   -- why: One sentence.
 *   -- since: 24h                                    window when none is given: m, h or d up to now
 *   -- limit: 50                                     rows when no limit is given
 *   -- param: NAME TYPE [= DEFAULT]: Meaning.        one line each; without a default it must be given
 *   -- chart: none | bars COLUMN | line COLUMN[, COLUMN] over COLUMN [by COLUMN[, COLUMN]]
 *
 * Keys stand in this order, each once except `param`. Every question has the parameters of COMMON_PARAMETERS beside
 * its own. A parameter named `network` or `networks` is given as `10.0.0.0/8`.
 */
import { type Bin, binOf } from './question-bin.ts';

export interface Parameter {
  readonly name: string;
  /** ClickHouse type, as it is bound: `{name:type}`. */
  readonly type: string;
  /** Text as it is given; undefined where the parameter must be given. */
  readonly defaultText: string | undefined;
  readonly meaning: string;
}

export type Chart =
  | { readonly kind: 'none' }
  | { readonly kind: 'bars'; readonly value: string }
  | {
      readonly kind: 'line';
      readonly values: readonly string[];
      readonly over: string;
      /** Columns that tell the series apart. */
      readonly by: readonly string[];
    };

export interface Question {
  /** Name of the file: `top-talkers`. */
  readonly name: string;
  readonly question: string;
  readonly why: string;
  /** `24h`. */
  readonly since: string;
  readonly limit: number;
  /** Its own, without the common ones. */
  readonly parameters: readonly Parameter[];
  readonly chart: Chart;
  /** What its window is read in; undefined where it is read as it is asked for. */
  readonly bin: Bin | undefined;
  /** The SELECT, without the head. */
  readonly sql: string;
}

/** What every question is bound to; a question that cannot know what is tcptrail's own does not use `own`. */
export const COMMON_PARAMETERS: readonly Parameter[] = [
  {
    name: 'since',
    type: "DateTime64(6, 'UTC')",
    defaultText: undefined,
    meaning: 'Begin of the window; whole five minutes, hours or days are read where a question says so.',
  },
  {
    name: 'until',
    type: "DateTime64(6, 'UTC')",
    defaultText: undefined,
    meaning: 'End of the window, which is not in it.',
  },
  { name: 'hosts', type: 'Array(String)', defaultText: '[]', meaning: 'Names or ids of hosts; empty: all.' },
  { name: 'own', type: 'Bool', defaultText: 'false', meaning: "tcptrail's own connections too." },
  { name: 'limit', type: 'UInt32', defaultText: undefined, meaning: 'Rows at most.' },
];

const KEYS = ['question', 'why', 'since', 'limit', 'param', 'chart'] as const;
type Key = (typeof KEYS)[number];
const isKey = (text: string): text is Key => (KEYS as readonly string[]).includes(text);

/** Throws an Error that names the file, the line and the remedy. */
export function parseQuestion(name: string, text: string): Question {
  const lines = text.split('\n');
  const headLines = lines.findIndex((line) => !line.startsWith('-- '));
  const values = new Map<Key, string[]>();
  let last = -1;
  for (const line of lines.slice(0, headLines)) {
    const [, key = '', value = ''] = /^-- (\w+): (.*\S)$/.exec(line) ?? [];
    if (!isKey(key)) throw refusal(name, `unknown key in '${line}'`, `known are ${KEYS.join(', ')}`);
    const place = KEYS.indexOf(key);
    if (place < last || (place === last && key !== 'param'))
      throw refusal(name, `${key} is not in its place`, `the order is ${KEYS.join(', ')}`);
    last = place;
    values.set(key, [...(values.get(key) ?? []), value]);
  }
  const one = (key: Key): string => {
    const [value] = values.get(key) ?? [];
    if (value === undefined) throw refusal(name, `no ${key}`, `add the line '-- ${key}: …'`);
    return value;
  };
  const sql = lines.slice(headLines).join('\n').trimEnd();
  const question: Question = {
    name,
    question: matched(name, 'question', one('question'), /^[A-Z].*\?$/, 'a sentence that ends in ?'),
    why: matched(name, 'why', one('why'), /^\S.*\.$/, 'a sentence that ends in a full stop'),
    since: matched(name, 'since', one('since'), /^[1-9]\d*[mhd]$/, 'an age such as 24h'),
    limit: Number(matched(name, 'limit', one('limit'), /^[1-9]\d{0,5}$/, 'a number of rows')),
    parameters: (values.get('param') ?? []).map((line) => parameterOf(name, line)),
    chart: chartOf(name, one('chart')),
    bin: binOf(sql),
    sql,
  };
  checkBound(question);
  return question;
}

function matched(name: string, key: Key, value: string, form: RegExp, what: string): string {
  if (form.test(value)) return value;
  throw refusal(name, `${key} is '${value}'`, `give ${what}`);
}

function parameterOf(name: string, line: string): Parameter {
  const [, parameter = '', type = '', defaultText, meaning = ''] =
    /^([a-z]\w*) ([A-Z]\w*(?:\([^()]*\))?)(?: = (.*?))?: (\S.*\.)$/.exec(line) ?? [];
  if (parameter === '')
    throw refusal(name, `param is '${line}'`, 'give NAME TYPE [= DEFAULT]: Meaning with a full stop');
  if (COMMON_PARAMETERS.some((common) => common.name === parameter))
    throw refusal(name, `param ${parameter} is one that every question has`, 'leave it out');
  return { name: parameter, type, defaultText, meaning };
}

function chartOf(name: string, text: string): Chart {
  if (text === 'none') return { kind: 'none' };
  const [, bars] = /^bars (\w+)$/.exec(text) ?? [];
  if (bars !== undefined) return { kind: 'bars', value: bars };
  const [, values, over, by] = /^line (\w+(?:, \w+)*) over (\w+)(?: by (\w+(?:, \w+)*))?$/.exec(text) ?? [];
  if (values === undefined || over === undefined)
    throw refusal(
      name,
      `chart is '${text}'`,
      'give none, bars COLUMN, or line COLUMN over COLUMN [by COLUMN]',
    );
  return { kind: 'line', values: values.split(', '), over, by: by?.split(', ') ?? [] };
}

/** The parameters declared are those bound, each with its type. */
function checkBound({ name, sql, parameters }: Question): void {
  const declared = new Map([...COMMON_PARAMETERS, ...parameters].map((each) => [each.name, each.type]));
  const bound = new Set<string>();
  for (const [, parameter = '', type = ''] of sql.matchAll(/\{(\w+):([^{}]+)\}/g)) {
    if (declared.get(parameter) !== type)
      throw refusal(
        name,
        `{${parameter}:${type}} is not declared so`,
        `add '-- param: ${parameter} ${type}: …'`,
      );
    bound.add(parameter);
  }
  const unused = [...declared.keys()].find((each) => !bound.has(each) && each !== 'own');
  if (unused !== undefined)
    throw refusal(name, `${unused} is not used in the SELECT`, 'use it, or leave it out');
}

function refusal(name: string, problem: string, remedy: string): Error {
  return new Error(`question ${name}: ${problem}; ${remedy}`);
}

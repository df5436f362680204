/** `tcptrail ask NAME --explain`: what is asked, with what, and what it would read. */
import { COMMON_PARAMETERS, type Question } from '@tcptrail/schemas/question.ts';
import type { Connection } from '../clickhouse/connection.ts';
import { count, plural } from '../terminal/human.ts';
import { styleFor } from '../terminal/style.ts';
import { pad } from '../terminal/width.ts';
import { type Bound, coveredText } from './bound.ts';
import { COMMON_OPTIONS, optionOf } from './parameters.ts';

interface Estimate {
  readonly table: string;
  readonly parts: string;
  readonly rows: string;
  readonly marks: string;
}

/** Throws CLI_CLICKHOUSE_UNREACHABLE and the like only after all is told that needs no server. */
export async function explain(bound: Bound, connection: Connection): Promise<void> {
  const { question, params, missing } = bound;
  const covered = coveredText(bound);
  const style = styleFor(process.stdout);
  const write = (text: string): boolean => process.stdout.write(`${text}\n`);
  write(`${style('bold', question.question)}\n${question.why}\n\n${style('bold', 'Parameters')}`);
  const own = question.parameters.map((parameter) => [optionOf(parameter), parameter] as const);
  const rows = [
    ...own,
    ...COMMON_PARAMETERS.filter(({ name }) => question.sql.includes(`{${name}:`)).map(
      (parameter) => [COMMON_OPTIONS[parameter.name] ?? '', parameter] as const,
    ),
  ];
  for (const [option, { name, type, defaultText, meaning }] of rows) {
    const common = COMMON_DEFAULTS[name]?.(question);
    const given = defaultText ?? common;
    write(
      `  ${pad(option, 18)} ${pad(type, 22)} ${pad(given === undefined ? 'required' : `default ${given === '' ? "''" : given}`, 16)} ${meaning}`,
    );
  }
  write(`\n${style('bold', 'As it would run')}`);
  for (const [name, value] of Object.entries(params)) write(`SET param_${name} = ${literal(value)};`);
  if (covered !== undefined) write(`-- ${covered}`);
  for (const parameter of missing) write(`-- ${optionOf(parameter)} must be given: ${parameter.meaning}`);
  write(`${question.sql};`);
  if (missing.length > 0) return;
  const estimates = await connection.rows<Estimate>(`EXPLAIN ESTIMATE ${question.sql}`, params);
  write(`\n${style('bold', 'What it would read')}`);
  if (estimates.length === 0) write('  nothing: no part of a table lies in the window');
  for (const { table, rows: read, parts, marks } of estimates)
    write(
      `  ${pad(table, 18)} at most ${plural(Number(read), 'row')} in ${plural(Number(parts), 'part')}, ${count(Number(marks))} granules`,
    );
}

const COMMON_DEFAULTS: Readonly<Record<string, (question: Question) => string>> = {
  since: ({ since }) => since,
  until: () => 'now',
  limit: ({ limit }) => String(limit),
};

/** As SET reads it: what is bound is always text. */
function literal(value: unknown): string {
  const quoted = (text: string): string => `'${text.replace(/[\\']/g, (character) => `\\${character}`)}'`;
  return quoted(
    Array.isArray(value) ? `[${value.map((item) => quoted(String(item))).join(', ')}]` : String(value),
  );
}

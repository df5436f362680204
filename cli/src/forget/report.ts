/** What `tcptrail forget` prints. */
import type { Hold } from '@tcptrail/consumer/keep/holds.ts';
import { duration, plural } from '../terminal/human.ts';
import { styleFor } from '../terminal/style.ts';
import { type Column, createTable } from '../terminal/table.ts';
import type { Matched } from './matches.ts';
import type { Forgotten } from './record.ts';

export function printPlan(
  found: readonly Matched[],
  { holds, json }: { readonly holds: readonly Hold[]; readonly json: boolean },
): void {
  if (json) {
    print(found.map((each) => ({ ...each, plan: true })));
    return;
  }
  process.stdout.write(tableOf(found));
  process.stdout.write(`${plural(rowsOf(found), 'row')} would go${heldText(found)}\n`);
  if (heldOf(found) > 0)
    for (const { hold_id, author, until, reason } of holds)
      process.stdout.write(`hold ${hold_id} of ${author} until ${until}: ${reason}\n`);
}

export function printForgotten(
  forgotten: Forgotten,
  { limits, json }: { readonly limits: readonly string[]; readonly json: boolean },
): void {
  const { forgetId, removed, left, durationMs } = forgotten;
  const rows = rowsOf(removed);
  if (json) {
    const summary = {
      forget_id: forgetId,
      rows,
      rows_held: heldOf(removed),
      rows_left: rowsOf(left),
      duration_ms: durationMs,
      not_reached: limits,
    };
    print([...removed, summary]);
    return;
  }
  const text = [
    tableOf(removed),
    `${plural(rows, 'row')} forgotten in ${duration(durationMs * 1000)}${heldText(removed)}\n`,
    left.length === 0
      ? 'looked again: none is left\n'
      : `looked again: ${plural(rowsOf(left), 'row')} came meanwhile and are left; run the same again\n`,
    'not reached:\n',
    ...limits.map((limit) => `  ${limit}\n`),
  ];
  process.stdout.write(text.join(''));
}

const rowsOf = (found: readonly Matched[]): number => found.reduce((sum, { rows }) => sum + rows, 0);
const heldOf = (found: readonly Matched[]): number => found.reduce((sum, { held }) => sum + held, 0);

function heldText(found: readonly Matched[]): string {
  const held = heldOf(found);
  return held === 0 ? '' : `; ${plural(held, 'row')} under a legal hold ${held === 1 ? 'stays' : 'stay'}`;
}

const COLUMNS: readonly Column[] = [
  { name: 'table', type: 'String' },
  { name: 'day', type: 'String' },
  { name: 'rows', type: 'UInt64' },
  { name: 'held', type: 'UInt64' },
];

function tableOf(found: readonly Matched[]): string {
  if (found.length === 0) return '';
  const table = createTable({ columns: COLUMNS, style: styleFor(process.stdout) });
  const rows = found.map(({ table: name, day, rows: n, held }) =>
    table.push([name, day, String(n), String(held)]),
  );
  return `${rows.join('')}${table.end()}\n`;
}

function print(lines: readonly object[]): void {
  process.stdout.write(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
}

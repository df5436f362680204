/** `tcptrail dlq list`: one line a letter, oldest first. */
import { timeText } from '@tcptrail/schemas/time-text.ts';
import { bytes, duration, plural } from '../terminal/human.ts';
import { styleFor } from '../terminal/style.ts';
import { type Column, createTable } from '../terminal/table.ts';
import { gather, type Listed } from './gather.ts';
import { type DlqOptions, withDlq } from './source.ts';

export interface ListOptions extends DlqOptions {
  readonly all?: boolean;
  readonly json?: boolean;
}

/** Throws CONFIG_*, KAFKA_*, CLICKHOUSE_*. */
export async function listCommand(options: ListOptions): Promise<void> {
  await withDlq(options, async (dlq) => {
    const letters = await gather(dlq);
    const shown = options.all ? letters : letters.filter(({ state }) => state === 'parked');
    process.stdout.write(
      options.json
        ? shown.map(lineOf).join('')
        : tableOf(shown, { nowUs: Date.now() * 1000, all: options.all }),
    );
    const settled = letters.length - shown.length;
    const rest = settled > 0 ? `, ${settled} more stored or discarded since (--all)` : '';
    if (!options.json) process.stderr.write(`${plural(shown.length, 'letter')} in ${dlq.box.place}${rest}\n`);
  });
}

function lineOf({ parkedUs, form, ...letter }: Listed): string {
  const { id, state, reason, detail, size, host } = letter;
  return `${JSON.stringify({
    id,
    state,
    reason,
    origin: letter.origin,
    origin_partition: letter.originPartition,
    origin_offset: letter.originOffset,
    bytes: size,
    parked_ts: timeText(parkedUs),
    host_id: host,
    detail,
  })}\n`;
}

const text = (name: string): Column => ({ name, type: 'String' });
const number = (name: string): Column => ({ name, type: 'Int64' });

function tableOf(
  letters: readonly Listed[],
  { nowUs, all }: { readonly nowUs: number; readonly all: boolean | undefined },
): string {
  if (letters.length === 0) return '';
  const columns = [
    text('id'),
    ...(all ? [text('state')] : []),
    text('reason'),
    text('origin'),
    number('partition'),
    number('offset'),
    number('size'),
    number('age'),
    text('host'),
  ];
  const table = createTable({ columns, style: styleFor(process.stdout) });
  const rows = letters.map((letter) =>
    table.push([
      letter.id,
      ...(all ? [letter.state] : []),
      letter.reason,
      letter.origin,
      String(letter.originPartition),
      String(letter.originOffset),
      bytes(letter.size),
      duration(Math.max(0, nowUs - letter.parkedUs)),
      letter.host || '-',
    ]),
  );
  return rows.join('') + table.end();
}

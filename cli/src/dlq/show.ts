/** `tcptrail dlq show`: one letter, decoded as far as it goes, with the bytes around the damage. */
import { timeText } from '@tcptrail/schemas/time-text.ts';
import { bytes, plural } from '../terminal/human.ts';
import { type Style, styleFor } from '../terminal/style.ts';
import { printable } from '../terminal/width.ts';
import { gather, type Listed, named, withBytes } from './gather.ts';
import { hexdump } from './hexdump.ts';
import type { Letter } from './letters.ts';
import { type Reading, read } from './reading.ts';
import { type DlqOptions, withDlq } from './source.ts';

export interface ShowOptions extends DlqOptions {
  readonly json?: boolean;
  readonly raw?: boolean;
}

const AROUND_BYTES = 64;

/** Throws CONFIG_*, KAFKA_*, CLICKHOUSE_*, CLI_NO_LETTER. */
export async function showCommand(id: string, options: ShowOptions): Promise<void> {
  await withDlq(options, async (dlq) => {
    const listed = named(await gather(dlq), id, dlq.box.place);
    await withBytes(dlq, [listed], (letter) => {
      if (options.raw) process.stdout.write(letter.value ?? '');
      else if (options.json) process.stdout.write(jsonOf(listed, letter));
      else process.stdout.write(textOf(listed, letter, styleFor(process.stdout)));
    });
  });
}

function jsonOf(listed: Listed, letter: Letter): string {
  const { head, events, damage } = read(letter);
  return `${JSON.stringify({
    id: listed.id,
    state: listed.state,
    reason: listed.reason,
    detail: listed.detail,
    origin: listed.origin,
    origin_partition: listed.originPartition,
    origin_offset: listed.originOffset,
    bytes: listed.size,
    parked_ts: timeText(listed.parkedUs),
    batch: head ?? null,
    events,
    damage: damage ? { sentence: damage.sentence, byte: damage.at ?? null } : null,
  })}\n`;
}

function textOf(listed: Listed, letter: Letter, style: Style): string {
  const reading = read(letter);
  const lines = [
    ['state', listed.state],
    ['reason', `${listed.reason}: ${listed.detail}`],
    ['origin', `${listed.origin}, partition ${listed.originPartition}, offset ${listed.originOffset}`],
    ['parked', `${timeText(listed.parkedUs)} UTC, ${bytes(listed.size)}`],
    ...batchLines(reading),
    ['decodes', decodes(reading)],
  ].map(([name = '', value = '']) => `${style('bold', name.padEnd(8))} ${printable(value)}\n`);
  const at = reading.damage?.at;
  const dump =
    letter.value && at !== undefined ? `\n${hexdump(letter.value, { at, bytes: AROUND_BYTES })}` : '';
  return lines.join('') + dump;
}

function batchLines({ head }: Reading): readonly (readonly string[])[] {
  if (!head) return [];
  return [
    ['host', `${head.host_name} (${head.host_id}), boot ${head.boot_id}`],
    [
      'batch',
      `${head.batch_seq}, part ${head.batch_part}, of the run since ${timeText(head.agent_epoch)}; agent ${head.agent_version}`,
    ],
    ['closed', `${timeText(head.batch_ts)} UTC`],
    ['owners', head.owners.map(({ comm, pid }) => `${comm} (${pid})`).join(', ') || '-'],
  ];
}

function decodes({ events, damage, head }: Reading): string {
  if (!damage) return `whole, ${plural(events, 'event')}: 'tcptrail dlq retry' may store it now`;
  const good = head ? `the head and ${plural(events, 'event')}, then: ` : '';
  return `${good}${damage.sentence}`;
}

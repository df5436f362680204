/** What a forget does not reach, in sentences: nobody may think that it did. */

import { localName } from '@tcptrail/consumer/form.ts';
import type { ClickHouse } from '@tcptrail/consumer/store/clickhouse.ts';
import { bytes, plural } from '../terminal/human.ts';
import type { Wish } from './matches.ts';
import { TABLES } from './tables.ts';

export async function notReached(clickhouse: ClickHouse, wish: Wish): Promise<readonly string[]> {
  const sums = await sumsOnly(clickhouse, wish);
  const replaced = await replacedParts(clickhouse);
  const holds = await inHolds(clickhouse, wish);
  const imported = await importedElsewhere(clickhouse);
  return [
    'spools of agents, topics of Kafka and dead letters hold what they held: what is under way is stored later; run the same again then',
    'backups, and exports that were not named, hold what they held',
    ...[imported, holds, sums, replaced].filter((sentence) => sentence !== ''),
  ];
}

/** Logs of others have databases of their own. */
async function importedElsewhere({ database, query }: ClickHouse): Promise<string> {
  const others = await query<{ name: string }>(
    "SELECT name FROM system.databases WHERE startsWith(name, 'import_') AND name != {database:String} ORDER BY name",
    { database },
  );
  if (others.length === 0) return '';
  const names = others.map(({ name }) => name).join(', ');
  return `what was imported stands in ${names}: run the same with --database for each`;
}

/** Who was held, and why, stays known, also when the hold has ended. */
async function inHolds({ database, query }: ClickHouse, { subject }: Wish): Promise<string> {
  const values = [subject.value, ...(subject.hostIds ?? [])];
  const [row] = await query<{ n: number }>(
    `SELECT count() AS n FROM ${database}.holds FINAL WHERE kind = {kind:String} AND value IN {values:Array(String)}`,
    { kind: subject.kind, values },
  );
  const n = row?.n ?? 0;
  return n === 0 ? '' : `${plural(n, 'row')} of the table holds ${n === 1 ? 'names' : 'name'} it`;
}

/** Sums of days whose events aged away, or that are too old to be summed anew by the consumer (`openDays`). */
async function sumsOnly({ database, query }: ClickHouse, { subject, before }: Wish): Promise<string> {
  if (subject.kind === 'host') return '';
  const days = await query<{ day: string; held: number }>(
    `SELECT summed.day AS day, any(events.n) AS held
     FROM
     (
         SELECT day, argMax(writing.rows, writing.version) AS n FROM ${database}.tier_days AS writing
         ${before === undefined ? '' : `WHERE day < '${before}'`} GROUP BY tier, day
     ) AS summed
     LEFT JOIN (SELECT day, count() AS n FROM ${database}.tcp_events GROUP BY day) AS events ON events.day = summed.day
     WHERE summed.n > events.n
     GROUP BY day ORDER BY day`,
  );
  if (days.length === 0) return '';
  const kept =
    subject.kind === 'address'
      ? 'tier_5m and tier_1h (which name no address) and tier_edges (which names peers alone, and lost those rows)'
      : 'the tiers (which name no user)';
  const without = days.filter(({ held }) => held === 0).length;
  const summed = days.filter(({ held }) => held > 0).map(({ day }) => day);
  const which = [
    ...(without > 0 ? [`${plural(without, 'day')} without events`] : []),
    ...(summed.length > 0 ? [`${summed.join(', ')}, too old to be summed anew`] : []),
  ].join(', and ');
  return `${which}: the sums in ${kept} still count it`;
}

/** Parts that were written anew stay on the disk for a while. */
async function replacedParts(clickhouse: ClickHouse): Promise<string> {
  const { database, query } = clickhouse;
  const [row] = await query<{ size: number; seconds: number }>(
    `SELECT sum(bytes_on_disk) AS size,
            (SELECT toUInt64(value) FROM system.merge_tree_settings WHERE name = 'old_parts_lifetime') AS seconds
     FROM system.parts WHERE database = {database:String} AND NOT active AND table IN {tables:Array(String)}`,
    { database, tables: TABLES.map(({ name }) => localName(clickhouse, name)) },
  );
  if (!row || row.size === 0) return '';
  return `${bytes(row.size)} of replaced parts leave the disk ${row.seconds > 0 ? `in ${plural(row.seconds, 'second')}` : 'within a minute'}`;
}

/** What a forget does not reach, in sentences: nobody may think that it did. */

import { localName } from '@tcptrail/consumer/form.ts';
import type { ClickHouse } from '@tcptrail/consumer/store/clickhouse.ts';
import { bytes, plural } from '../terminal/human.ts';
import type { Wish } from './matches.ts';
import { TABLES } from './tables.ts';

export async function notReached(clickhouse: ClickHouse, wish: Wish): Promise<readonly string[]> {
  const sums = await sumsOnly(clickhouse, wish);
  const replaced = await replacedParts(clickhouse);
  return [
    'spools of agents, topics of Kafka and dead letters hold what they held: what is under way is stored later; run the same again then',
    'backups, and exports that were not named, hold what they held',
    ...(sums === '' ? [] : [sums]),
    ...(replaced === '' ? [] : [replaced]),
  ];
}

/** Sums of days whose events aged away cannot be summed anew. */
async function sumsOnly({ database, query }: ClickHouse, { subject, before }: Wish): Promise<string> {
  const [row] = await query<{ days: number }>(
    `SELECT uniqExact(day) AS days FROM ${database}.tier_days
     WHERE day NOT IN (SELECT day FROM ${database}.tcp_events) ${before === undefined ? '' : `AND day < '${before}'`}`,
  );
  const days = row?.days ?? 0;
  if (days === 0 || subject.kind === 'host') return '';
  const kept =
    subject.kind === 'address'
      ? 'tier_5m and tier_1h (which name no address) and tier_edges (which names peers alone, and lost those rows)'
      : 'the tiers (which name no user)';
  return `${plural(days, 'day')} without events: the sums in ${kept} still count it`;
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

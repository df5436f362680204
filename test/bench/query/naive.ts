/** What most begin with: the same columns in time's order, with ClickHouse's own codecs, without an index or a projection. */
import type { ClickHouse } from '@tcptrail/consumer/store/clickhouse.ts';

/**
 * Makes tcp_events of `naive`, which was migrated, such a table, and copies `from`'s rows, an hour at a time; its
 * batches too, which say what lives. Its views then read the events, as the tiers are empty.
 */
export async function fillNaive(
  naive: ClickHouse,
  from: string,
  tell: (hours: number, of: number) => void,
): Promise<void> {
  const columns = await naive.query<{ name: string; type: string; kind: string; expression: string }>(
    `SELECT name, type, default_kind AS kind, default_expression AS expression FROM system.columns
     WHERE database = {database:String} AND table = 'tcp_events' ORDER BY position`,
    { database: from },
  );
  const COMPUTED = new Set(['community_id', 'sensor']);
  // What is not stored because others predict it is a column here as any other.
  const stored = columns.filter(({ name }) => !COMPUTED.has(name) && !name.endsWith('_rest'));
  const aliases = columns.filter(({ name }) => COMPUTED.has(name));
  const table = `${naive.database}.tcp_events`;
  await naive.statement(`INSERT INTO ${naive.database}.tcp_batches SELECT * FROM ${from}.tcp_batches`);
  await naive.statement(`DROP TABLE ${table}`);
  await naive.statement(
    `CREATE TABLE ${table}
     (${[
       ...stored.map(({ name, type }) => `\`${name}\` ${type}`),
       ...aliases.map(({ name, type, expression }) => `\`${name}\` ${type} ALIAS ${expression}`),
     ].join(', ')})
     ENGINE = MergeTree PARTITION BY day ORDER BY ts`,
  );
  const hours = await naive.query<{ hour: number; day: string }>(
    `SELECT DISTINCT intDiv(toUnixTimestamp(ts), 3600) AS hour, day FROM ${from}.tcp_events ORDER BY hour`,
  );
  const names = stored.map(({ name }) => `\`${name}\``).join(', ');
  for (const [index, { hour, day }] of hours.entries()) {
    await naive.statement(
      `INSERT INTO ${table} (${names}) SELECT ${names} FROM ${from}.tcp_events
       WHERE day = '${day}' AND ts >= toDateTime(${hour * 3600}, 'UTC') AND ts < toDateTime(${(hour + 1) * 3600}, 'UTC')
       SETTINGS max_threads = 2, max_block_size = 16384, min_insert_block_size_rows = 200000, min_insert_block_size_bytes = 60000000`,
    );
    tell(index + 1, hours.length);
  }
}

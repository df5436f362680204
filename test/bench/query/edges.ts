/** Edges of more days than there are events of: those of the closed days again and again, earlier each time. */
import type { ClickHouse } from '@tcptrail/consumer/store/clickhouse.ts';

export interface ManyEdges {
  readonly connections: number;
  readonly rows: number;
  readonly days: number;
  readonly bytes: number;
}

/** New addresses for a share of the peers that came once, as a long tail goes on; all others come back. */
const SHIFTED = `if(connections = 1 AND cityHash64(peer_address) % 2 = 0,
    toIPv6(toIPv4(bitXor(toUInt32(reinterpretAsUInt32(reverse(substring(reinterpretAsFixedString(peer_address), 13, 4)))), {turn:UInt32} * 2097152))), peer_address)`;

/** Until the tier holds at least `connectionsMin`. */
export async function fillEdges(
  { statement, query, database }: ClickHouse,
  connectionsMin: number,
  tell: (turn: number, turns: number) => void,
): Promise<ManyEdges> {
  const table = `${database}.tier_edges`;
  const [own] = await query<{ connections: number; days: number }>(
    `SELECT sum(connections) AS connections, uniqExact(day) AS days FROM ${table}`,
  );
  if (!own || own.connections === 0) throw new Error('no day was closed');
  const turns = Math.ceil(connectionsMin / own.connections);
  await statement(`CREATE TABLE ${database}.own_edges AS ${table} ENGINE = MergeTree ORDER BY peer_address`);
  await statement(`INSERT INTO ${database}.own_edges SELECT * FROM ${table}`);
  for (let turn = 1; turn < turns; turn++) {
    const earlier = `toIntervalDay(${turn * own.days})`;
    await statement(
      `INSERT INTO ${table} SELECT * REPLACE (
         day - ${earlier} AS day, first_ts - ${earlier} AS first_ts, last_ts - ${earlier} AS last_ts,
         ${SHIFTED.replace('{turn:UInt32}', String(turn))} AS peer_address)
       FROM ${database}.own_edges SETTINGS max_threads = 2, max_insert_threads = 1`,
    );
    await statement(
      `INSERT INTO ${database}.tier_days (tier, day, version, rows)
       SELECT 'edges', day - ${earlier}, version, sum(events) FROM ${database}.own_edges GROUP BY day, version`,
    );
    tell(turn + 1, turns);
  }
  await statement(`DROP TABLE ${database}.own_edges`);
  const [made] = await query<ManyEdges>(
    `SELECT sum(connections) AS connections, count() AS rows, uniqExact(day) AS days,
       (SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = '${database}' AND table = 'tier_edges') AS bytes
     FROM ${table}`,
  );
  if (!made) throw new Error('no edges');
  return made;
}

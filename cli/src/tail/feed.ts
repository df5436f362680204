/**
 * New events of `tcp_events`, by ledger position.
 *
 * The consumer stores the events of a batch before its row in `tcp_batches`, in the order of the origin. So
 * the highest stored batch of an origin says up to where its events are complete, and a position never passes
 * an event that is still to come.
 */
import { EVENT_NAMES } from '@tcptrail/schemas/stored.ts';
import type { Connection } from '../clickhouse/connection.ts';
import type { ConnectionRow } from '../terminal/connection-line.ts';
import type { Filter } from './filter.ts';

interface Head {
  readonly origin: string;
  readonly origin_partition: number;
  readonly last: string;
}

export interface Feed {
  /** Takes what is stored now as seen, and gives the newest `lines` rows of it, oldest first. */
  start(lines: number): Promise<readonly ConnectionRow[]>;
  /** Rows that came since the last call, oldest first. */
  next(): Promise<readonly ConnectionRow[]>;
}

/** Ranges asked for in one query; more are asked for in turn. */
const RANGES_MAX = 200;

const HEADS = `
SELECT origin, origin_partition, toString(max(origin_offset)) AS last
FROM tcp_batches
WHERE day >= today() - 2
GROUP BY origin, origin_partition
ORDER BY max(batch_ts)`;

const COLUMNS = `
  kind, toString(ts) AS ts, host_name, role, toString(local_address) AS local_address, local_port,
  toString(peer_address) AS peer_address, peer_port, peer_name, pid, comm, executable, verdict, errno,
  retransmit_cause, toFloat64(bytes_sent) AS bytes_sent, toFloat64(bytes_received) AS bytes_received,
  toFloat64(duration_us) AS duration_us, rtt_us, total_retrans, connections,
  reset_direction, reset_reason, attempts, accept_queue, accept_queue_max, toFloat64(listen_drops) AS listen_drops`;

export interface FeedOptions {
  readonly filter: Filter;
  /** Every column of the table, as JSON text. */
  readonly whole: boolean;
}

export function createFeed(connection: Connection, { filter, whole }: FeedOptions): Feed {
  const seen = new Map<string, string>();
  const keyOf = (head: Head): string => `${head.origin_partition}/${head.origin}`;
  const heads = (): Promise<readonly Head[]> => connection.rows<Head>(HEADS);

  const read = (moved: readonly Head[], lines?: number): Promise<readonly ConnectionRow[]> => {
    const params: Record<string, unknown> = { ...filter.params, ...(lines ? { lines } : {}) };
    const ranges = moved.map((head, index) => {
      params[`o${index}`] = head.origin;
      params[`p${index}`] = head.origin_partition;
      params[`from${index}`] = seen.get(keyOf(head)) ?? '-1';
      params[`to${index}`] = head.last;
      return (
        `(origin = {o${index}:String} AND origin_partition = {p${index}:UInt32}` +
        ` AND origin_offset > {from${index}:Int64} AND origin_offset <= {to${index}:UInt64})`
      );
    });
    const order = lines
      ? 'ORDER BY tcp_events.ts DESC, cpu DESC, seq DESC LIMIT {lines:UInt32}'
      : 'ORDER BY tcp_events.ts, cpu, seq';
    const query = `
SELECT ${whole ? EVENT_NAMES.join(', ') : COLUMNS}
FROM tcp_events
WHERE (${ranges.join(' OR ')}) AND ${filter.where}
${order}`;
    return connection.rows<ConnectionRow>(query, params);
  };

  return {
    async start(lines) {
      const stored = await heads();
      const rows = lines > 0 && stored.length > 0 ? await read(stored.slice(-RANGES_MAX), lines) : [];
      for (const head of stored) seen.set(keyOf(head), head.last);
      return rows.toReversed();
    },
    async next() {
      const moved = (await heads()).filter((head) => seen.get(keyOf(head)) !== head.last);
      const rows: ConnectionRow[] = [];
      for (let from = 0; from < moved.length; from += RANGES_MAX) {
        const part = moved.slice(from, from + RANGES_MAX);
        rows.push(...(await read(part)));
        for (const head of part) seen.set(keyOf(head), head.last);
      }
      return rows;
    },
  };
}

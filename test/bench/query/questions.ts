/** Fifteen questions of the library, with the values that the made fleet knows, and what it costs to ask them. */
import { writeFileSync } from 'node:fs';
import type { ClickHouseClient } from '@clickhouse/client';
import { boundTo, type CommonOptions } from '@tcptrail/cli/ask/bound.ts';
import { readQuestions } from '@tcptrail/schemas/questions.ts';
import { rowsRead } from '../../harness/rows-read.ts';
import { median } from '../agent/median.ts';

export interface Asked {
  readonly name: string;
  readonly args: readonly string[];
  readonly options: CommonOptions;
}

export interface Cost {
  /** Warm. */
  readonly ms_p50: number;
  readonly ms_worst: number;
  /** After every cache was dropped, the page cache too. */
  readonly ms_cold: number;
  readonly rows_read: number;
  readonly bytes_read: number;
  readonly rows: number;
}

const HOUR_MS = 3_600_000;
const isQuick = Boolean(process.env['QUICK']);
const COLD = isQuick ? 1 : 2;
const WARM = isQuick ? 2 : 5;

export function askedOf(at: { readonly nowMs: number; readonly communityId: string }): readonly Asked[] {
  const since = (hours: number): string => new Date(at.nowMs - hours * HOUR_MS).toISOString();
  const asked = (name: string, args: readonly string[] = [], options: CommonOptions = {}): Asked => ({
    name,
    args,
    options: { until: new Date(at.nowMs).toISOString(), ...options },
  });
  return [
    asked('top-talkers', [], { since: since(24) }),
    // One of the long tail; the heaviest hitter of the internet is asked beside them.
    asked('who-talked-to', ['--address', '32.17.37.101']),
    asked('process-connections', ['--process', 'nginx'], {
      since: since(30),
      until: new Date(at.nowMs - 30 * HOUR_MS + 60_000).toISOString(),
      host: ['host-3'],
    }),
    asked('retransmits-against-last-week', ['--days', '5'], { since: since(24) }),
    asked('alive-across', [], {
      since: since(10),
      until: new Date(at.nowMs - 10 * HOUR_MS + 300_000).toISOString(),
    }),
    asked('failures-by-errno', [], { since: since(24) }),
    asked('slow-handshakes', ['--over-us', '60000'], { since: since(1) }),
    asked('unused-listeners', [], { since: since(7 * 24) }),
    asked('half-open-floods', ['--half-open-min', '10'], { since: since(24) }),
    asked('longest-lived', [], { since: since(24) }),
    asked('new-peers', ['--role', 'server'], { since: since(24) }),
    asked('what-changed', [], { since: since(1) }),
    asked('by-community-id', ['--community-id', at.communityId], { since: since(7 * 24) }),
    asked('retransmit-paths', [], { since: since(1) }),
    asked('traffic-by-hour', [], { since: since(140) }),
  ];
}

export const HEAVIEST: Asked = { name: 'who-talked-to', args: ['--address', '32.0.0.0'], options: {} };

const LIBRARY = new Map(readQuestions().map((question) => [question.name, question]));

/** Asks database `database` cold, then warm. */
export async function costOf(
  { client, database }: { readonly client: ClickHouseClient; readonly database: string },
  { name, args, options }: Asked,
  nowMs: number,
): Promise<Cost> {
  const question = LIBRARY.get(name);
  if (!question) throw new Error(`no question ${name}`);
  const { params, missing } = boundTo(question, { args, options, nowMs });
  if (missing.length > 0) throw new Error(`${name}: ${missing[0]?.name} is missing`);
  let rows = 0;
  const ask = async (): Promise<number> => {
    const begun = performance.now();
    const result = await client.query({
      query: question.sql,
      query_params: { ...params },
      format: 'JSONCompactEachRow',
      clickhouse_settings: { database } as Record<string, string>,
    });
    rows = (await result.text()).split('\n').length - 1;
    return performance.now() - begun;
  };
  const cold: number[] = [];
  for (let time = 0; time < COLD; time++) {
    await dropCaches(client);
    cold.push(await ask());
  }
  const read = await rowsRead(client, ask);
  const warm: number[] = [];
  for (let time = 0; time < WARM; time++) warm.push(await ask());
  return {
    ms_p50: round(median(warm)),
    ms_worst: round(Math.max(...warm)),
    ms_cold: round(median(cold)),
    rows_read: read.rows,
    bytes_read: read.bytes,
    rows,
  };
}

async function dropCaches(client: ClickHouseClient): Promise<void> {
  for (const cache of [
    'MARK CACHE',
    'UNCOMPRESSED CACHE',
    'PRIMARY INDEX CACHE',
    'QUERY CONDITION CACHE',
    'INDEX MARK CACHE',
  ])
    await client.command({ query: `SYSTEM DROP ${cache}` });
  writeFileSync('/proc/sys/vm/drop_caches', '1');
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}

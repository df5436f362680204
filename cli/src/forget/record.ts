/** The trace of a forget: everything but what was forgotten. */
import { randomBytes, scryptSync } from 'node:crypto';
import type { Subject } from '@tcptrail/consumer/keep/subject.ts';
import type { ClickHouse } from '@tcptrail/consumer/store/clickhouse.ts';
import { insertBlock } from '@tcptrail/consumer/store/insert.ts';
import { who } from '../who.ts';
import { type Matched, tableRows, type Wish } from './matches.ts';

export interface Forgotten extends Wish {
  readonly forgetId: string;
  readonly removed: readonly Matched[];
  readonly left: readonly Matched[];
  readonly durationMs: number;
}

export async function recordForgotten(clickhouse: ClickHouse, forgotten: Forgotten): Promise<void> {
  const { subject, before, removed, left } = forgotten;
  const salt = randomBytes(16);
  const line = {
    forget_id: forgotten.forgetId,
    forgotten_by: who(),
    kind: subject.kind,
    salt: salt.toString('hex'),
    value_hash: hashOf(subject, salt),
    before: before ?? '1970-01-01',
    rows: tableRows(removed),
    rows_held: removed.reduce((sum, { held }) => sum + held, 0),
    rows_left: left.reduce((sum, { rows }) => sum + rows, 0),
    duration_ms: forgotten.durationMs,
  };
  await insertBlock(clickhouse, {
    table: 'forgotten',
    format: 'JSONEachRow',
    body: Buffer.from(`${JSON.stringify(line)}\n`),
    logComment: 'tcptrail forget',
  });
}

/** Slow on purpose: there are few addresses and fewer uids to try. Node's defaults of scrypt, which the column names. */
export const hashOf = ({ value }: Subject, salt: Uint8Array): string =>
  scryptSync(value, salt, 32).toString('hex');

/** One INSERT = one block = one part: there as a whole or not at all. */
import { randomUUID } from 'node:crypto';
import type { ClickHouseSettings } from '@clickhouse/client';
import { AppError } from '@tcptrail/schemas/app-error.ts';
import { failure } from '../errors.ts';
import { localTable } from '../form.ts';
import type { ClickHouse } from './clickhouse.ts';

const ONE_PART: ClickHouseSettings = {
  async_insert: 0,
  wait_end_of_query: 1,
  insert_deduplicate: 1,
  max_insert_block_size: '10000000',
  min_insert_block_size_rows: '0',
  min_insert_block_size_bytes: '0',
  max_insert_threads: '1',
  input_format_parallel_parsing: 0,
  // Else a column that the table does not have is passed over without a word.
  input_format_skip_unknown_fields: 0,
};

export interface Block {
  readonly table: string;
  readonly format: 'Native' | 'JSONEachRow';
  readonly body: Uint8Array;
  /**
   * ClickHouse takes one INSERT of a token and drops the others. Absent: this one is like no other. Never left to the
   * server, which would take the content for it: equal content is then dropped, and with it rows whose first INSERT
   * was logged and lost by a kill. `insert_deduplicate = 0` does not prevent that on 26.7.
   */
  readonly token?: string;
  /** Names the origin, so that a running INSERT of it is seen. */
  readonly logComment: string;
  readonly signal?: AbortSignal | undefined;
}

/** Resolves with the rows that the server says it wrote; undefined when it does not say. */
export async function insertBlock(clickhouse: ClickHouse, block: Block): Promise<number | undefined> {
  return await clickhouse.insert({
    query: `INSERT INTO ${localTable(clickhouse, block.table)} FORMAT ${block.format}`,
    body: block.body,
    settings: {
      ...ONE_PART,
      log_comment: block.logComment,
      insert_deduplication_token: block.token ?? randomUUID(),
    },
    signal: block.signal,
  });
}

/**
 * Asks `assertHeld` before it sends. Rejects with STORE_ROWS_REFUSED when the rows are refused twice in a row, and as
 * ClickHouse does: a body that was cut short on its way is refused as well, and its rows are not to blame.
 */
export async function insertRows(
  clickhouse: ClickHouse,
  block: Block,
  assertHeld: () => void,
): Promise<number | undefined> {
  assertHeld();
  try {
    return await insertBlock(clickhouse, block);
  } catch (error) {
    if (!isRefusal(error)) throw error;
  }
  assertHeld();
  try {
    return await insertBlock(clickhouse, block);
  } catch (error) {
    throw isRefusal(error) ? failure('STORE_ROWS_REFUSED', error.message, { cause: error }) : error;
  }
}

function isRefusal(error: unknown): error is AppError {
  return error instanceof AppError && error.code === 'CLICKHOUSE_ROWS_REFUSED';
}

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { type Embedded, startEmbedded, temporaryFolder } from './embedded.ts';

const KILLS = Number(process.env.TCPTRAIL_KILLS ?? 10);
const ROWS = 5_000;

/** Park-Miller: the same waits in every run. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

async function insertBatch(server: Embedded, batch: number): Promise<boolean> {
  const rows = Array.from({ length: ROWS }, (_, row) => `${batch}\t${row}\n`).join('');
  const query = { query: 'INSERT INTO kept.t FORMAT TSV', insert_deduplication_token: `batch ${batch}` };
  const answer = await server.ask(query, { method: 'POST', body: rows }).catch(() => undefined);
  return answer?.ok ?? false;
}

test(`after ${KILLS} kill -9 during inserts every acknowledged batch is there once, no other in part`, {
  timeout: 600_000,
}, async () => {
  const folder = temporaryFolder();
  const random = createRandom(20_261_123);
  const acknowledged = new Set<number>();
  let batch = 0;
  for (let kill = 0; kill <= KILLS; kill++) {
    const server = await startEmbedded({ folder });
    await server.sql('CREATE DATABASE IF NOT EXISTS kept');
    await server.sql(
      'CREATE TABLE IF NOT EXISTS kept.t (batch UInt32, row UInt32) ENGINE = MergeTree ORDER BY (batch, row) SETTINGS non_replicated_deduplication_window = 1000',
    );
    const stored = await server.sql('SELECT batch, count(), uniqExact(row) FROM kept.t GROUP BY batch');
    const counts = new Map(
      stored
        .split('\n')
        .filter(Boolean)
        .map((line) => [Number(line.split('\t')[0]), line]),
    );
    for (const [number, line] of counts) assert.equal(line, `${number}\t${ROWS}\t${ROWS}`);
    for (const number of acknowledged)
      assert.ok(counts.has(number), `batch ${number} was acknowledged and is lost`);
    if (kill === KILLS) break;
    const exit = once(server.process, 'exit');
    setTimeout(() => server.process.kill('SIGKILL'), 20 + random() * 300);
    while (await insertBatch(server, ++batch)) acknowledged.add(batch);
    await exit;
  }
  assert.ok(acknowledged.size > KILLS, `only ${acknowledged.size} inserts were acknowledged`);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CLICKHOUSE_FOLDER, migrationFiles } from '../../src/migrate/files.ts';
import { retentionsOf } from '../../src/migrate/retention.ts';

test('a table keeps its rows as the last migration says that is about it', () => {
  const made = `-- Made.
CREATE TABLE IF NOT EXISTS {database}.one{local} {on_cluster} (day Date) ENGINE = MergeTree
ORDER BY day
TTL day + INTERVAL 7 DAY
SETTINGS ttl_only_drop_parts = 1
COMMENT 'TTL of a text';
CREATE TABLE IF NOT EXISTS {database}.two{local} {on_cluster} (day Date) ENGINE = MergeTree ORDER BY day;`;
  const later = `ALTER TABLE {database}.one{local} {on_cluster}
    ADD COLUMN n UInt8,
    MODIFY TTL day + INTERVAL 2 MONTH;`;
  assert.deepEqual([...retentionsOf([made])], [['one', 'day + INTERVAL 7 DAY']]);
  assert.deepEqual([...retentionsOf([made, later])], [['one', 'day + INTERVAL 2 MONTH']]);
});

test('each TTL of the migrations is found', () => {
  const migrations = migrationFiles(CLICKHOUSE_FOLDER).map(({ sql }) => sql);
  const written = migrations.join('\n').match(/^TTL /gm)?.length ?? 0;
  assert.ok(written > 0);
  assert.equal(retentionsOf(migrations).size, written);
});

/** Every question of the library against known data: its answer is worked out in the scenes, and compared whole. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { readQuestions } from '@tcptrail/schemas/questions.ts';
import { boundTo } from '../../src/ask/bound.ts';
import { type Connection, createConnection } from '../../src/clickhouse/connection.ts';
import { createStoredEvents, migrated, type StoredEvents } from '../stored-events.ts';
import { batchRows, eventRows, hostsOf, iso } from './scene.ts';
import { SCENES } from './scenes.ts';

const QUESTIONS = new Map(readQuestions().map((question) => [question.name, question]));
let stored: StoredEvents;
let connection: Connection;

before(async () => {
  stored = await createStoredEvents();
  await migrated(stored);
  const insert = (table: string, rows: readonly object[]): Promise<string> =>
    stored.execute(
      `INSERT INTO tcptrail.${table} FORMAT JSONEachRow\n${rows.map((row) => JSON.stringify(row)).join('\n')}`,
    );
  await insert('tcp_events', eventRows(SCENES));
  await insert('tcp_batches', batchRows(SCENES));
  connection = createConnection({ url: stored.url });
});
after(async () => {
  await connection?.close();
  await stored?.stop();
});

for (const scene of SCENES) {
  test(`${scene.question} gives the answer of its scene`, async () => {
    const question = QUESTIONS.get(scene.question);
    assert.ok(question, `there is no question ${scene.question}`);
    for (const { args = [], since = iso(0), until = iso(60), own, limit, columns, rows } of scene.asks) {
      const options = {
        since,
        until,
        host: hostsOf(scene),
        ...(own ? { own } : {}),
        ...(limit ? { limit } : {}),
      };
      const { params, missing } = boundTo(question, { args, options, nowMs: Date.now() });
      assert.deepEqual(missing, []);
      const answer: readonly object[] = await connection.rows<object>(question.sql, params);
      assert.deepEqual(
        answer.map((row) => Object.values(row)),
        rows,
        JSON.stringify({ args, limit }),
      );
      if (columns !== undefined) assert.equal(Object.keys(answer[0] ?? {}).join(' '), columns);
    }
  });
}

test('every question has a scene, whose columns its chart names', () => {
  for (const { name, chart } of QUESTIONS.values()) {
    const columns = SCENES.filter((scene) => scene.question === name)
      .flatMap(({ asks }) => asks)
      .find((asking) => asking.columns !== undefined)
      ?.columns?.split(' ');
    assert.ok(columns, `${name} has no scene that tells its columns`);
    const named =
      chart.kind === 'none'
        ? []
        : chart.kind === 'bars'
          ? [chart.value]
          : [...chart.values, chart.over, ...chart.by];
    assert.deepEqual(
      named.filter((column) => !columns.includes(column)),
      [],
      name,
    );
  }
});

/** Every question of the library against known data: its answer is worked out in the scenes, and compared whole. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { closeDaysAlone } from '@tcptrail/consumer/keeping.ts';
import { readQuestions } from '@tcptrail/schemas/questions.ts';
import { storedForm } from '../../../test/predicted-values.ts';
import { boundTo } from '../../src/ask/bound.ts';
import { type Connection, createConnection } from '../../src/clickhouse/connection.ts';
import { clickhouseOf, createStoredEvents, migrated, type StoredEvents } from '../stored-events.ts';
import {
  type Asking,
  batchRows,
  day,
  eventRows,
  type Fields,
  hostsOf,
  iso,
  type Scene,
  twinIdsOf,
  twinsOf,
} from './scene.ts';
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
  const [events, batches] = [eventRows(SCENES), batchRows(SCENES)];
  await insert('tcp_events', [...events, ...twinsOf(events)].map(storedForm));
  await insert('tcp_batches', [...batches, ...twinsOf(batches)]);
  connection = createConnection({ url: stored.url });
});
after(async () => {
  await connection?.close();
  await stored?.stop();
});

/** The scene's question, asked of these hosts. */
async function answerOf(
  scene: Scene,
  asking: Asking,
  host: readonly string[] = hostsOf(scene),
): Promise<readonly Fields[]> {
  const question = QUESTIONS.get(scene.question);
  assert.ok(question, `there is no question ${scene.question}`);
  const { args = [], since = iso(0), until = iso(60), own, limit } = asking;
  const options = { since, until, host, ...(own ? { own } : {}), ...(limit ? { limit } : {}) };
  const { params, missing } = boundTo(question, { args, options, nowMs: Date.now() });
  assert.deepEqual(missing, []);
  return connection.rows<Fields>(question.sql, params);
}

async function askAll(scene: Scene): Promise<void> {
  for (const asking of scene.asks) {
    const { args, limit, columns, rows } = asking;
    const answer = await answerOf(scene, asking);
    const values = answer.map((row) => Object.values(row));
    assert.deepEqual(values, rows, `${scene.question} ${JSON.stringify({ args, limit })}`);
    if (columns !== undefined) assert.equal(Object.keys(answer[0] ?? {}).join(' '), columns);
  }
}

for (const scene of SCENES) test(`${scene.question} gives the answer of its scene`, () => askAll(scene));

test('hosts of one name are told apart', async () => {
  const sorted = (rows: readonly Fields[]): readonly string[] =>
    rows.map((row) => JSON.stringify(row)).toSorted();
  for (const scene of SCENES) {
    for (const asking of scene.asks) {
      const rows = await answerOf(scene, asking);
      if (!('host_name' in (rows[0] ?? {}))) continue;
      const { limit, ...rest } = asking;
      const both = limit === undefined ? rest : { ...rest, limit: 2 * limit };
      const answer = await answerOf(scene, both, twinIdsOf(scene));
      assert.deepEqual(sorted(answer), sorted(twinsOf(rows)), scene.question);
    }
  }
});

test('after its days are closed every answer is the same', async () => {
  const clickhouse = clickhouseOf(stored);
  try {
    // So late that yesterday is over whenever the test runs.
    const closed = await closeDaysAlone(clickhouse, Date.now() + 3 * 3_600_000);
    const of = (tier: string): readonly string[] =>
      closed.filter((each) => each.tier === tier).map((each) => each.day);
    for (const tier of ['5m', '1h', 'edges']) assert.ok(of(tier).includes(day(0)), `${tier} has ${of(tier)}`);
  } finally {
    await clickhouse.close();
  }
  for (const scene of SCENES) await askAll(scene);
});

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

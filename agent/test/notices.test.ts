import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '@tcptrail/schemas/app-error.ts';
import { temporaryFolder } from '../../test/spool-writer.ts';
import { AGENT_CONFIG } from '../src/config.ts';
import { createLog } from '../src/log.ts';
import { createMetrics } from '../src/metrics.ts';
import { createNotices } from '../src/notices.ts';

function noticed() {
  const lines: string[] = [];
  const log = createLog({
    write: (line) => lines.push((JSON.parse(line) as { msg: string }).msg),
    nowMs: () => 0,
  });
  const metrics = createMetrics();
  const config = AGENT_CONFIG.parse({ spool: { path: temporaryFolder() } });
  const counted = async (name: string): Promise<number> => {
    const found = new RegExp(`^tcptrail_agent_${name} (\\d+)$`, 'm').exec(await metrics.text());
    return Number(found?.[1]);
  };
  return { lines, notices: createNotices(config, { log, metrics }), counted };
}

test('a trouble is told once and counted each time, another one of the same code by itself', async () => {
  const { lines, notices, counted } = noticed();
  for (const right of ['describe', 'describe', 'write'])
    notices.publishFailed(new AppError('KAFKA_NOT_AUTHORISED', `no right to ${right}`));
  assert.deepEqual(lines, [
    'no right to describe; batches wait in the spool',
    'no right to write; batches wait in the spool',
  ]);
  assert.equal(await counted('publish_failures_total'), 3);
  assert.equal(await counted('publish_up'), 0);
  assert.equal(notices.publishTrouble, 'no right to write');
});

test('a file of the login that cannot be used is counted, and publishing is not held up by it', async () => {
  const { lines, notices, counted } = noticed();
  notices.published({ messages: 1, bytes: 1, again: false });
  notices.kafkaFileUnfit(new AppError('KAFKA_FILE', 'kafka.tls.certFile a.pem holds no certificate'));
  assert.equal(lines.at(-1), 'kafka.tls.certFile a.pem holds no certificate; the former is used until then');
  assert.equal(await counted('kafka_unfit_files_total'), 1);
  assert.equal(await counted('publish_up'), 1);
  assert.equal(notices.publishTrouble, '');
});

test('a budget is told with the number that is in force', () => {
  const { lines, notices } = noticed();
  const step = { name: 'budget-updates', leavesOut: [], cost: 'updates' };
  notices.budgetSteps([step], 12_345);
  notices.budgetShort(1_000, 10_368_000);
  assert.match(lines[0] ?? '', /12345 bytes a day.*updates/);
  assert.match(lines[1] ?? '', /bytesPerDay is 1000, but heartbeats alone take about 10368000/);
});

test('each step of the budget is told, also those that follow within a minute', () => {
  const { lines, notices } = noticed();
  const stepOf = (name: string) => ({ name: `budget-${name}`, leavesOut: [], cost: name });
  const steps = ['updates', 'retransmits', 'everything'].map(stepOf);
  for (const taken of [1, 2, 1, 2, 3]) notices.budgetSteps(steps.slice(0, taken), 12_345);
  assert.deepEqual(
    lines.map((line) => /not recorded: (.*?);? raise/.exec(line)?.[1]),
    ['updates', 'updates; retransmits', 'updates; retransmits; everything'],
  );
});

test('each place that the system refuses is told', () => {
  const { lines, notices } = noticed();
  for (const setting of ['guest.nice', 'guest.oomScoreAdjust'])
    notices.priorityRefused({ setting, reason: 'EACCES' });
  assert.deepEqual(
    lines.map((line) => /cannot set (\S+) /.exec(line)?.[1]),
    ['guest.nice', 'guest.oomScoreAdjust'],
  );
});

/** One machine as two hosts: an agent with folding and one without see the same, and the same questions are asked. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createTestAgent, type TestAgent } from '../harness/agent.ts';
import { type Part, startPart } from '../harness/process.ts';
import { createStack, type Stack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';

const CONSUMER = join(import.meta.dirname, '../../consumer/src/main.ts');
export const SINGLE = 'single';
export const FOLDED = 'folded';

export interface TwoAgents {
  readonly stack: Stack;
  /** Ends both agents, which tell what they hold, and waits until all of it is stored. */
  settle(): Promise<void>;
  /** What the question gives of each host, `{host}` being it. */
  both(question: string): Promise<{ single: unknown[]; folded: unknown[] }>;
  /** The question finds something, and the same of both. */
  assertSame(question: string): Promise<void>;
  stop(): Promise<void>;
}

/** `config`: of both. */
export async function startTwoAgents(config: object = {}): Promise<TwoAgents> {
  const stack = await createStack({ agent: { ...config, hostId: SINGLE } });
  const folder = join(stack.folder, FOLDED);
  mkdirSync(folder);
  const folding: TestAgent = createTestAgent(folder, { ...config, hostId: FOLDED, profile: 'fleet' });
  const consumerConfig = join(folder, 'consumer.yaml');
  await stack.startServer();
  const { url } = stack;
  writeFileSync(
    consumerConfig,
    JSON.stringify({ clickhouse: { url }, spool: { path: folding.spool }, metrics: { port: 0 } }),
  );
  stack.startConsumer();
  await Promise.all([stack.startAgent(), folding.start()]);
  await until('the tables', () => stack.rows('SELECT 1 FROM exclusions').catch(() => false));
  const consumer: Part = startPart([CONSUMER, '--config', consumerConfig]);

  async function both(question: string): Promise<{ single: unknown[]; folded: unknown[] }> {
    const [single, folded] = await Promise.all(
      [SINGLE, FOLDED].map((host) => stack.rows(question.replaceAll('{host}', `host_id = '${host}'`))),
    );
    return { single: single ?? [], folded: folded ?? [] };
  }
  return {
    stack,
    async settle() {
      await Promise.all([stack.agent.end(), folding.part.end()]);
      await until(
        'all that was spooled to be stored',
        () => stack.caughtUp() && folding.isRead('clickhouse'),
      );
    },
    both,
    async assertSame(question) {
      const { single, folded } = await both(question);
      assert.ok(single.length > 0, `${question} finds something`);
      assert.deepEqual(folded, single, question);
    },
    async stop() {
      await folding.stop();
      await consumer.end();
      await stack.stop();
    },
  };
}

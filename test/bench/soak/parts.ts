/** What is under load: an agent with its metrics, a consumer and ClickHouse, with a Kafka between them or not. */
import { createServer } from 'node:net';
import { createFleet } from '../../harness/fleet.ts';
import { createStack } from '../../harness/stack.ts';
import { until } from '../../harness/until.ts';

export interface SoakParts {
  readonly pids: { readonly agent: number; readonly consumer: number };
  /** Value of a gauge or counter of the agent without its prefix; NaN when it is not shown. */
  metrics(): Promise<(name: string) => number>;
  rows<T>(query: string, params?: Record<string, unknown>): Promise<T[]>;
  caughtUp(): Promise<boolean>;
  endAgent(): Promise<number | string>;
  stop(): Promise<void>;
}

export async function startParts(way: 'spool' | 'kafka'): Promise<SoakParts> {
  const port = await freePort();
  const agent = { metrics: { port } };
  const parts = way === 'kafka' ? await startFleet(agent) : await startStack(agent);
  await until('the table', () =>
    parts.rows('SELECT 1 FROM tcp_events LIMIT 1').then(
      () => true,
      () => false,
    ),
  );
  return {
    ...parts,
    async metrics() {
      const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
      return (name) => Number(new RegExp(`^tcptrail_agent_${name} (\\S+)$`, 'm').exec(text)?.[1]);
    },
  };
}

type Started = Omit<SoakParts, 'metrics'>;

async function startStack(agent: object): Promise<Started> {
  const stack = await createStack({ agent });
  try {
    await stack.startServer();
    stack.startConsumer();
    await stack.startAgent();
  } catch (error) {
    await stack.stop();
    throw error;
  }
  return {
    pids: { agent: stack.agent.pid, consumer: stack.consumer.pid },
    rows: stack.rows,
    caughtUp: async () => stack.caughtUp(),
    endAgent: () => stack.agent.end(),
    stop: stack.stop,
  };
}

async function startFleet(agent: object): Promise<Started> {
  const fleet = await createFleet({ agents: 1, consumers: 1, agent });
  const [recorder, consumer] = [fleet.agents[0], fleet.consumers[0]];
  if (!recorder || !consumer) throw new Error('a fleet of none');
  try {
    consumer.start();
    await recorder.start();
  } catch (error) {
    await fleet.stop();
    throw error;
  }
  return {
    pids: { agent: recorder.part.pid, consumer: consumer.part.pid },
    rows: fleet.rows,
    caughtUp: fleet.caughtUp,
    endAgent: () => recorder.part.end(),
    stop: fleet.stop,
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}

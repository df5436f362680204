/** Kills of every kind in an order of the seed's, under a stream of batches: nothing may be lost or doubled. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestKafka } from '../../harness/kafka.ts';
import type { Part } from '../../harness/process.ts';
import { createRandom, type Random } from '../../random.ts';
import { CONSUMER_STEPS } from '../crash-consumer-at.ts';
import type { Difference } from './oracle.ts';
import type { StoreServer } from './store-server.ts';
import { createWorld, type World } from './world.ts';

const PARTITIONS = 3;
const CONSUMERS = 2;
/** A range of two days: its events of each, and its batches. */
const PARTS_OF_RANGE = 3;
/** Consumers that are killed again and again store less than is sent: nobody is to wait for all of it at the end. */
const BEHIND_MAX = 150;
/** Batches from one look at the lag to the next. */
const LOOK_EVERY = 25;
/** One in so many kills is of Kafka. */
const KAFKA_EVERY = 20;

export interface MatrixResult extends Difference {
  readonly kills: number;
  /** Kills by what was killed, and where. */
  readonly by: Readonly<Record<string, number>>;
}

export async function runMatrix(
  parts: { readonly kafka: TestKafka; readonly server: StoreServer },
  config: { readonly kills: number; readonly seed: number; readonly tell?: (line: string) => void },
): Promise<MatrixResult> {
  const { kafka, server } = parts;
  const random = createRandom(config.seed);
  const world = await createWorld(parts, {
    name: `matrix-${config.seed}`,
    partitions: PARTITIONS,
    seed: config.seed,
    // Half of the events are of yesterday, which is closed and opened again all the time.
    consumer: { batch: { rowsMax: 200 }, tiers: { closeMs: 1_000 } },
  });
  const by: Record<string, number> = {};
  const consumers: Part[] = [];
  const stopped = new AbortController();
  const stream = startStream(world, random, stopped.signal);
  try {
    for (let index = 0; index < CONSUMERS; index++) consumers.push(world.start());
    let kill = 0;
    for (const victim of victimsOf(config.kills, random)) {
      await strike(victim);
      by[victim] = (by[victim] ?? 0) + 1;
      kill += 1;
      config.tell?.(`${kill}/${config.kills} ${victim}`);
    }
    stopped.abort();
    await stream;
    await world.drained();
    return { kills: kill, by, ...(await world.compare()) };
  } finally {
    stopped.abort();
    await stream.catch(() => {});
    await world.stop();
  }

  async function strike(victim: string): Promise<void> {
    const [what, where = ''] = victim.split(' at ');
    const index = random.below(CONSUMERS);
    // The moment of a random kill is what is random; nothing is waited for.
    if (where === '') await sleep(random.below(700));
    if (what === 'consumer' && where === '') {
      await consumers[index]?.end('SIGKILL');
    } else if (what === 'consumer') {
      // Alone, so that it has all partitions and comes to its step.
      for (const consumer of consumers) await consumer.end('SIGKILL');
      const doomed = world.startDoomed(where, random.below(3));
      const code = await doomed.exited;
      if (code !== 'SIGKILL') throw new Error(`${victim}: ended with ${code}\n${doomed.output()}`);
      for (let other = 0; other < CONSUMERS; other++) consumers[other] = world.start();
      return;
    } else if (what === 'clickhouse') {
      const [when, nth] = where.split(' ');
      if (nth !== undefined) {
        server.killAtRename(Number(nth), when === 'after' ? 'after' : 'before');
        await server.exited;
      } else await server.kill();
      await server.start();
      return;
    } else {
      await kafka.kill();
      await kafka.start();
      return;
    }
    consumers[index] = world.start();
  }
}

/** Each step and each rename in turn for a half, any moment for the other; mixed. */
function victimsOf(kills: number, random: Random): string[] {
  const renames = Array.from({ length: PARTS_OF_RANGE }, (_, index) =>
    ['before', 'after'].map((when) => `clickhouse at ${when} ${index + 1}`),
  ).flat();
  const exact = [...CONSUMER_STEPS.map((step) => `consumer at ${step}`), ...renames];
  const victims = Array.from({ length: kills }, (_, kill) => {
    if (kill % KAFKA_EVERY === KAFKA_EVERY - 1) return 'kafka';
    if (kill < exact.length || kill % 2 === 0) return exact[kill % exact.length] ?? '';
    return random.pick(['consumer', 'clickhouse']);
  });
  return victims
    .map((victim) => ({ victim, place: random.below(1_000_000) }))
    .sort((a, b) => a.place - b.place)
    .map(({ victim }) => victim);
}

/** Batches, now and then one a second time or something that is none, until told to stop; Kafka may be away. */
async function startStream(world: World, random: Random, stopped: AbortSignal): Promise<void> {
  for (let batches = 1; !stopped.aborted; batches++) {
    const partition = random.below(PARTITIONS);
    await world.sendSurely(partition);
    const chance = random.below(10);
    const more = chance === 0 ? world.send(partition, world.oracle.again()) : undefined;
    const none = chance === 1 ? world.sendBytes(partition, Buffer.from('no batch')) : undefined;
    // Whether these arrive is of no matter.
    await Promise.allSettled([more, none]);
    await sleep(50 + random.below(150));
    const isToLook = batches % LOOK_EVERY === 0;
    while (isToLook && !stopped.aborted && (await world.lag()) > BEHIND_MAX) await sleep(200);
  }
}

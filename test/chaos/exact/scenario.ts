/** What scenarios of one file share: a Kafka and a ClickHouse that may be killed, and steps that many take. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, type TestContext } from 'node:test';
import { startKafka, type TestKafka } from '../../harness/kafka.ts';
import type { Part } from '../../harness/process.ts';
import type { ConsumerStep } from '../crash-consumer-at.ts';
import { type StoreServer, startStoreServer } from './store-server.ts';
import { createWorld, type World, type WorldOptions } from './world.ts';

export const EXACT = { lost: 0, doubled: 0, invented: 0, untrue: 0 };

export interface Servers {
  readonly kafka: TestKafka;
  readonly server: StoreServer;
  /** Ended with the test. */
  makeWorld(t: TestContext, options: WorldOptions): Promise<World>;
}

/** Starts both before the first test of the file, and ends them behind the last. */
export function useServers(): Servers {
  let kafka: TestKafka | undefined;
  let server: StoreServer | undefined;
  before(async () => {
    await Promise.all([
      startKafka().then((started) => (kafka = started)),
      startStoreServer().then((started) => (server = started)),
    ]);
  });
  after(async () => {
    for (const part of [server, kafka]) {
      // Whatever a test that failed has stopped.
      if (part) process.kill(part.pid, 'SIGCONT');
      await part?.stop();
    }
  });
  const there = <T>(part: T | undefined): T => {
    assert.ok(part, 'servers are started before the first test');
    return part;
  };
  return {
    get kafka() {
      return there(kafka);
    },
    get server() {
      return there(server);
    },
    async makeWorld(t, options) {
      const world = await createWorld({ kafka: there(kafka), server: there(server) }, options);
      t.after(() => world.stop());
      return world;
    },
  };
}

export async function sendSome(world: World, count = 4, partition = 0): Promise<void> {
  await world.send(partition, ...Array.from({ length: count }, () => world.oracle.next()));
}

/** A consumer is killed at the step. */
export async function killedAt(world: World, step: ConsumerStep, passed = 0): Promise<void> {
  const doomed = world.startDoomed(step, passed);
  assert.equal(await doomed.exited, 'SIGKILL', doomed.output());
}

export const isStopped = ({ pid }: Part): boolean => / T /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));

/** How many times it has joined the group. */
export const joins = (part: Part): number => part.output().split('joined group').length - 1;

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { runLoad } from '../harness/load.ts';
import { createStack, type Stack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';
import { createRandom } from '../random.ts';

const KILLS = process.env['TCPTRAIL_TEST_LONG'] ? 20 : 4;
const SEED = 11;

let stack: Stack;
before(async () => {
  stack = await createStack();
  await stack.startServer();
  stack.startConsumer();
  await stack.startAgent();
});
after(() => stack?.stop());

/** Connections without end until told to stop. */
function startLoad(): { stop(): Promise<void> } {
  let running = true;
  const done = (async () => {
    for (let seed = 1; running; seed++) {
      await runLoad({ count: 400, refused: 20, seed, concurrency: 8, pauseMs: 5 });
    }
  })();
  return {
    async stop() {
      running = false;
      await done;
    },
  };
}

interface Completeness {
  readonly kernel_epoch: string;
  readonly place: string;
  readonly numbered: string;
  readonly rows: string;
  readonly failed: string;
  readonly folded: string;
  readonly filtered: string;
  readonly unspooled: string;
  readonly stored: string;
  readonly waiting: string;
  readonly parked: string;
  readonly lost: string;
  readonly doubled: string;
}

test(`${KILLS} kills each of agent, consumer and server under load lose nothing that was spooled and double nothing`, async () => {
  const random = createRandom(SEED);
  /** Kernel epoch and CPU → last number that the kernel had given when the agent was gone. */
  const left = new Map<string, number>();
  const load = startLoad();
  const victims = ['agent', 'consumer', 'server'].flatMap((victim) =>
    Array.from({ length: KILLS }, () => victim),
  );
  while (victims.length > 0) {
    const [victim] = victims.splice(random.below(victims.length), 1);
    // The moment of the kill is what is random here; nothing is waited for.
    await sleep(100 + random.below(1500));
    if (victim === 'agent') {
      await stack.agent.end('SIGKILL');
      for (const [place, number] of stack.pinnedNumbers()) left.set(place, number);
      await stack.startAgent();
    } else if (victim === 'consumer') {
      await stack.consumer.end('SIGKILL');
      stack.startConsumer();
    } else {
      await stack.server.end('SIGKILL');
      await stack.startServer();
    }
  }
  await load.stop();
  await stack.agent.end();

  await until('all that was spooled to be stored', () => stack.caughtUp());
  const rows = await stack.rows<Completeness>(
    "SELECT *, concat(toString(toUnixTimestamp64Micro(kernel_epoch)), '/', toString(cpu)) AS place FROM completeness",
  );
  const epochs = new Set(rows.map((row) => row.kernel_epoch));
  const runs = await stack.rows<object>(
    'SELECT agent_epoch, kernel_epoch, count() AS batches, max(batch_seq) AS last FROM tcp_batches GROUP BY ALL ORDER BY ALL',
  );
  assert.equal(epochs.size, KILLS + 1, `one kernel epoch for each run of the agent: ${JSON.stringify(runs)}`);
  for (const row of rows) {
    const text = JSON.stringify(row);
    assert.equal(Number(row.doubled), 0, text);
    assert.equal(Number(row.lost), 0, text);
    assert.equal(Number(row.parked), 0, text);
    assert.equal(Number(row.stored), Number(row.rows), text);
    const told =
      Number(row.rows) +
      Number(row.failed) +
      Number(row.folded) +
      Number(row.filtered) +
      Number(row.unspooled);
    assert.equal(Number(row.numbered), told, text);
    const number = left.get(row.place);
    if (number !== undefined)
      assert.equal(Number(row.numbered), number, `${text}: the kernel says ${number}`);
  }
  assert.ok(
    [...left.values()].some((number) => number > 0),
    'a killed agent left an account',
  );
  assert.ok(
    rows.some((row) => Number(row.unspooled) > 0),
    'a kill cost events in the rings, and they are counted',
  );
  const total = await stack.rows<{ stored: string; identities: string }>(
    'SELECT count() AS stored, uniqExact(host_id, boot_id, kernel_epoch, cpu, seq) AS identities FROM tcp_events',
  );
  assert.equal(total[0]?.stored, total[0]?.identities);
  assert.ok(Number(total[0]?.stored) > 1000, 'the load was recorded');
});

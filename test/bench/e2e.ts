/**
 * From a closing connection to a row a query finds: how many are captured, and how long it takes, on one machine and
 * through Kafka; then through Kafka at the rates of a quiet, a usual and a busy host, with what a batch is there.
 *
 * Both ends of each connection are on this host, so each counts twice.
 */
import { createFleet, type Fleet } from '../harness/fleet.ts';
import { createStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';
import { type Measured, measureLatency } from './latency.ts';

const QUICK = Boolean(process.env['QUICK']);
const PER_SECOND = 5_000;
const COUNT = QUICK ? 5_000 : 50_000;
const RATES = [50, 500, 5_000];
const RATE_SECONDS = QUICK ? 3 : 20;
/** The close at both ends: none lives long enough for an open. */
const EVENTS_A_CONNECTION = 2;

interface Rate extends Omit<Measured, 'connections_per_s'> {
  readonly events_per_s: number;
  readonly events_a_batch: number;
  /** On the broker, compressed, heartbeats included. */
  readonly bytes_an_event: number;
}

type Rows = Fleet['rows'];

const isThere = (rows: Rows) => async () =>
  await rows('SELECT 1 FROM tcp_events LIMIT 1').then(
    () => true,
    () => false,
  );

function tell(what: string, measured: Measured): Measured {
  const { connections, connections_per_s, capture_ratio, latency_ms_p50, latency_ms_p99 } = measured;
  console.error(
    `${what}: ${connections} connections at ${connections_per_s}/s, captured ${capture_ratio}, p50 ${latency_ms_p50} ms, p99 ${latency_ms_p99} ms`,
  );
  return measured;
}

async function embedded(): Promise<Measured> {
  const stack = await createStack();
  try {
    await stack.startServer();
    stack.startConsumer();
    await stack.startAgent();
    await until('the table', isThere(stack.rows));
    return tell('embedded', await measureLatency(stack.rows, { count: COUNT, perSecond: PER_SECOND }));
  } finally {
    await stack.stop();
  }
}

async function startFleet(): Promise<Fleet> {
  const fleet = await createFleet({ agents: 1, consumers: 1 });
  for (const consumer of fleet.consumers) consumer.start();
  for (const agent of fleet.agents) await agent.start();
  await until('the table', isThere(fleet.rows));
  await until('the first batch', () => fleet.caughtUp());
  return fleet;
}

async function atRate(fleet: Fleet, eventsPerSecond: number): Promise<Rate> {
  await until('everything before to be stored', () => fleet.caughtUp());
  const before = await stored(fleet.rows);
  const bytesBefore = fleet.kafka.bytesOf('tcptrail.events');
  const perSecond = eventsPerSecond / EVENTS_A_CONNECTION;
  const load = { count: Math.ceil(perSecond * RATE_SECONDS), perSecond };
  const measured = tell(`kafka at ${eventsPerSecond} events/s`, await measureLatency(fleet.rows, load));
  await until('everything to be stored', () => fleet.caughtUp());
  const { connections_per_s, ...rest } = measured;
  const after = await stored(fleet.rows);
  const events = after.events - before.events;
  return {
    ...rest,
    events_per_s: Math.round((events * connections_per_s) / measured.connections),
    events_a_batch: Math.round(events / (after.batches - before.batches)),
    bytes_an_event: round((fleet.kafka.bytesOf('tcptrail.events') - bytesBefore) / events),
  };
}

async function kafka(): Promise<{ kafka: Measured; rates: Rate[] }> {
  const fleet = await startFleet();
  try {
    const whole = tell('kafka', await measureLatency(fleet.rows, { count: COUNT, perSecond: PER_SECOND }));
    const rates: Rate[] = [];
    for (const rate of RATES) rates.push(await atRate(fleet, rate));
    return { kafka: whole, rates };
  } finally {
    await fleet.stop();
  }
}

/** Batches with events, and their events. */
async function stored(rows: Rows): Promise<{ batches: number; events: number }> {
  const [row] = await rows<{ batches: string; events: string }>(
    'SELECT countIf(batch.events > 0) AS batches, sum(batch.events) AS events FROM tcp_batches AS batch',
  );
  return { batches: Number(row?.batches ?? 0), events: Number(row?.events ?? 0) };
}

const round = (value: number): number => Math.round(value * 10) / 10;

console.log(JSON.stringify({ embedded: await embedded(), ...(await kafka()) }));

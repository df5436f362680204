/**
 * Events a second from Kafka to a row that a query finds, and CPU an event: tcptrail's consumer, exactly once, beside
 * ClickHouse's Kafka engine with many events a message, and with one JSON message an event. Real events, every column,
 * the same table; each starts on an empty ClickHouse with the topic full, and they take turns.
 */
import { startKafka } from '../harness/kafka.ts';
import { runLoad } from '../harness/load.ts';
import { median } from './agent/median.ts';
import { batchesOf } from './consumer/real-batches.ts';
import { type Measured, measure, type Side, startKafkaEngine, startTcptrail } from './consumer/sides.ts';
import { fillTopics, PARTITIONS } from './consumer/topics.ts';
import { recordLoad } from './encode/real-records.ts';

const QUICK = Boolean(process.env['QUICK']);
/** Two closes each. */
const CONNECTIONS = QUICK ? 2_000 : 17_000;
const EVENTS_MIN = QUICK ? 400_000 : 3_000_000;
const ROUNDS = QUICK ? 1 : 3;
const TOPICS = { batches: 'batches', avro: 'avro', json: 'json' };

type Name = 'tcptrail' | 'engine' | 'engine_json';

const load = () => runLoad({ count: CONNECTIONS, refused: Math.floor(CONNECTIONS / 20), seed: 1 });
const batches = batchesOf(await recordLoad(load));
const perHost = batches.reduce((sum, { events }) => sum + events.count, 0);
const hosts = Math.ceil(EVENTS_MIN / perHost);
const kafka = await startKafka({ set: { 'message.max.bytes': String(32 * 1024 * 1024) } });
const measured: Record<Name, Measured[]> = { tcptrail: [], engine: [], engine_json: [] };
try {
  const { events, jsonEvents } = await fillTopics(kafka.brokers, TOPICS, { batches, hosts });
  console.error(`${events} events of ${hosts} hosts, ${jsonEvents} of them as JSON`);
  const [brokers = ''] = kafka.brokers;
  const engine = { brokers, consumers: PARTITIONS };
  const sides: Record<Name, { start: () => Promise<Side>; events: number }> = {
    tcptrail: { start: () => startTcptrail(kafka.brokers, TOPICS.batches), events },
    engine: { start: () => startKafkaEngine({ ...engine, topic: TOPICS.avro, format: 'Avro' }), events },
    engine_json: {
      start: () => startKafkaEngine({ ...engine, topic: TOPICS.json, format: 'JSONEachRow' }),
      events: jsonEvents,
    },
  };
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, side] of Object.entries(sides) as [Name, (typeof sides)[Name]][]) {
      const running = await side.start();
      try {
        const result = await measure(running, { events: side.events });
        measured[name].push(result);
        console.error(`${name}: ${JSON.stringify(result)}`);
      } finally {
        await running.stop();
      }
    }
  }
  const of = (name: Name, what: keyof Measured): number => median(measured[name].map((one) => one[what]));
  /** Of the rounds, each against its neighbour. */
  const ratio = (what: keyof Measured): number =>
    median(measured.engine.map((one, round) => one[what] / (measured.tcptrail[round]?.[what] ?? Number.NaN)));
  const rounded = (value: number): number => Math.round(value * 100) / 100;
  console.log(
    JSON.stringify({
      events,
      json_events: jsonEvents,
      hosts,
      partitions: PARTITIONS,
      rounds: ROUNDS,
      events_per_s: of('tcptrail', 'events_per_s'),
      engine_events_per_s: of('engine', 'events_per_s'),
      engine_json_events_per_s: of('engine_json', 'events_per_s'),
      store_cpu_us_per_event: of('tcptrail', 'store_cpu_us'),
      consumer_cpu_us_per_event: of('tcptrail', 'consumer_cpu_us'),
      engine_cpu_us_per_event: of('engine', 'store_cpu_us'),
      engine_json_cpu_us_per_event: of('engine_json', 'store_cpu_us'),
      consumer_rss_mb_max: of('tcptrail', 'consumer_rss_mb_max'),
      merged_store_cpu_us_per_event: of('tcptrail', 'merged_store_cpu_us'),
      merged_engine_cpu_us_per_event: of('engine', 'merged_store_cpu_us'),
      ratio_wall: rounded(1 / ratio('events_per_s')),
      ratio_store_cpu: rounded(ratio('store_cpu_us')),
      ratio_merged_store_cpu: rounded(ratio('merged_store_cpu_us')),
    }),
  );
} finally {
  await kafka.stop();
}
process.exit();

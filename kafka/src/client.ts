/** The Kafka client of every part: kafkajs with our codec, our limits, our sockets, and none of its log lines. */
import kafkajs, { type Kafka } from 'kafkajs';
import { registerCodecs } from './codecs.ts';
import type { KafkaConfig } from './config.ts';
import type { OnUnfit } from './kept.ts';
import { quietTimerWarning } from './quiet.ts';
import { createLogin } from './sasl.ts';
import { seedsOf } from './seeds.ts';
import { createSockets } from './sockets.ts';

const CONNECT_MS_MAX = 3_000;
const REQUEST_MS_MAX = 15_000;
/** A broker that was just started needs a second or two until it knows its groups. */
const RETRIES_MAX = 5;

export interface ClientOptions {
  /** How long an answer is waited for. */
  readonly requestMsMax?: number;
  /** Of a connection or request that fails, before it is told. */
  readonly retriesMax?: number;
  /** A changed file of `kafka.tls` or `kafka.sasl` cannot be used; the former stays. */
  readonly onUnfit?: OnUnfit;
}

/** Connects to nothing yet. Throws KAFKA_FILE. */
export function createKafka(config: KafkaConfig, options: ClientOptions = {}): Kafka {
  registerCodecs();
  quietTimerWarning();
  const { onUnfit = () => {} } = options;
  const sasl = createLogin(config.sasl, { onUnfit });
  return new kafkajs.Kafka({
    brokers: seedsOf(config.brokers),
    clientId: config.clientId,
    connectionTimeout: CONNECT_MS_MAX,
    authenticationTimeout: CONNECT_MS_MAX,
    requestTimeout: options.requestMsMax ?? REQUEST_MS_MAX,
    // Short: whoever uses the client waits and tells in its own way.
    retry: { retries: options.retriesMax ?? RETRIES_MAX, initialRetryTime: 100, maxRetryTime: 1_000 },
    // Errors reach us as exceptions; the client's own log would say them twice, with stack traces.
    logLevel: kafkajs.logLevel.NOTHING,
    ssl: config.tls.enabled,
    socketFactory: createSockets(config.tls, { onUnfit }),
    ...(sasl ? { sasl } : {}),
  });
}

/** The Kafka client of every part: kafkajs with our codec, our limits, and none of its log lines. */
import { readFileSync } from 'node:fs';
import kafkajs, { type Kafka, type SASLOptions } from 'kafkajs';
import type { KafkaConfig } from './config.ts';
import { kafkaError } from './errors.ts';
import { quietTimerWarning } from './quiet.ts';
import { registerZstd } from './zstd.ts';

const CONNECT_MS_MAX = 3_000;
const REQUEST_MS_MAX = 15_000;

export interface ClientOptions {
  /** How long an answer is waited for. */
  readonly requestMsMax?: number;
}

/** Connects to nothing yet. Throws KAFKA_FILE. */
export function createKafka(config: KafkaConfig, options: ClientOptions = {}): Kafka {
  registerZstd();
  quietTimerWarning();
  const { tls, sasl } = config;
  return new kafkajs.Kafka({
    brokers: [...config.brokers],
    clientId: config.clientId,
    connectionTimeout: CONNECT_MS_MAX,
    authenticationTimeout: CONNECT_MS_MAX,
    requestTimeout: options.requestMsMax ?? REQUEST_MS_MAX,
    // Short: whoever uses the client waits and tells in its own way.
    // A broker that was just started needs a second or two until it knows its groups.
    retry: { retries: 5, initialRetryTime: 100, maxRetryTime: 1_000 },
    // Errors reach us as exceptions; the client's own log would say them twice, with stack traces.
    logLevel: kafkajs.logLevel.NOTHING,
    ...(tls.enabled
      ? {
          ssl: {
            ...file('ca', 'kafka.tls.caFile', tls.caFile),
            ...file('cert', 'kafka.tls.certFile', tls.certFile),
            ...file('key', 'kafka.tls.keyFile', tls.keyFile),
          },
        }
      : {}),
    ...(sasl.mechanism === 'none'
      ? {}
      : {
          sasl: {
            mechanism: sasl.mechanism,
            username: sasl.username,
            password: sasl.password,
          } as SASLOptions,
        }),
  });
}

function file(name: string, key: string, path: string): Record<string, Buffer> {
  if (path === '') return {};
  try {
    return { [name]: readFileSync(path) };
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error);
    throw kafkaError('KAFKA_FILE', `${key} ${path} cannot be read (${reason}); make it readable`, {
      cause: error,
      exitCode: 2,
    });
  }
}

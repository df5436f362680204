/** A Kafka of a test's own, empty: one node on loopback that may be stopped, killed and started again. */
import { globSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Passwords, TEST_PASSWORDS } from '@tcptrail/local-kafka/config.ts';
import { type Part, startPart } from './process.ts';

const MAIN = join(import.meta.dirname, '../../infra/kafka/src/main.ts');

export interface KafkaOptions {
  /** PLAIN and SCRAM with the users of `passwords`; `tcptrail` may do nothing until it is granted. */
  readonly sasl?: boolean;
  /** Properties of the server, over the usual ones. */
  readonly set?: Readonly<Record<string, string>>;
  /** Beside the first one: protocol by name, as `{ MTLS: 'SSL' }`. */
  readonly listeners?: Readonly<Record<string, string>>;
  /** Name that clients are told instead of 127.0.0.1. */
  readonly advertise?: string;
  /** It is the second broker of this one's cluster, and stopped first. */
  readonly join?: TestKafka;
}

export interface TestKafka {
  /** The same as long as it lives, whatever becomes of the server. */
  readonly brokers: string[];
  readonly passwords: Passwords;
  /** As `brokers`, by the name of a further listener. */
  readonly listeners: Readonly<Record<string, string[]>>;
  readonly folder: string;
  /** Bytes of the topic in the broker's log. */
  bytesOf(topic: string): number;
  /** Pid of java, for signals of a test's own. */
  readonly pid: number;
  /** After `kill` or a halt of its own: the same port and data. Resolves when it answers. */
  start(): Promise<void>;
  /** Stops it cleanly and starts it on the same port and data. */
  restart(): Promise<void>;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** Ends it and removes its folder. */
  stop(): Promise<void>;
}

/** Throws with what the server wrote when it does not start. The caller stops it. */
export async function startKafka(options: KafkaOptions = {}): Promise<TestKafka> {
  const folder = mkdtempSync(join(tmpdir(), 'tcptrail-kafka-'));
  const set = Object.entries(options.set ?? {}).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
  let part: Part;
  let address: { port: number; pid: number; ports: Record<string, number> } = { port: 0, pid: 0, ports: {} };

  async function start(): Promise<void> {
    const sasl = options.sasl ? ['--sasl'] : [];
    const listeners = Object.entries(options.listeners ?? {}).flatMap(([name, protocol]) => [
      '--listener',
      `${name}=${protocol}:${address.ports[name] ?? 0}`,
    ]);
    const advertise = options.advertise === undefined ? [] : ['--advertise', options.advertise];
    const joined = options.join === undefined ? [] : ['--join', options.join.folder];
    const given = [...sasl, ...listeners, ...advertise, ...joined, ...set];
    // Whatever the caller's environment says, the passwords are those of tests.
    const env = { TCPTRAIL_KAFKA_ADMIN_PASSWORD: '', TCPTRAIL_KAFKA_PASSWORD: '' };
    part = startPart([MAIN, '--data', folder, '--port', String(address.port), ...given], env);
    address = JSON.parse(await part.firstLine);
  }

  async function stop(): Promise<void> {
    await part.end();
    rmSync(folder, { recursive: true, force: true });
  }

  try {
    await start();
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    brokers: [`127.0.0.1:${address.port}`],
    passwords: TEST_PASSWORDS,
    listeners: Object.fromEntries(
      Object.entries(address.ports).map(([name, port]) => [name, [`127.0.0.1:${port}`]]),
    ),
    folder,
    bytesOf(topic) {
      const files = globSync(`**/${topic}-*/*.log`, { cwd: folder });
      return files.reduce((sum, file) => sum + statSync(join(folder, file)).size, 0);
    },
    get pid() {
      return address.pid;
    },
    start,
    async restart() {
      await part.end();
      await start();
    },
    async kill() {
      process.kill(address.pid, 'SIGKILL');
      await part.exited;
    },
    stop,
  };
}

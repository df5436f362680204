import { spawnSync } from 'node:child_process';
import { hostError } from './errors.ts';

/** Kafka 4 needs it. */
const JAVA_MIN = 17;
const REMEDY = `install Java ${JAVA_MIN} or newer, or run infra/deps.sh kafka`;

/** Version of the java on PATH. Throws when there is none, or one that is too old. */
export function requireJava(): string {
  const { error, stderr } = spawnSync('java', ['-version'], { encoding: 'utf8' });
  if (error) throw hostError(`java is missing: ${REMEDY}`);
  const version = /version "([^"]+)"/.exec(stderr)?.[1] ?? 'of unknown version';
  if (!(Number.parseInt(version, 10) >= JAVA_MIN)) throw hostError(`java is ${version}: ${REMEDY}`);
  return version;
}

/** Options of java for any program among the jars of `folder`; its log goes to stderr, warnings only. */
export function javaOptions(folder: string): readonly string[] {
  const log = 'org.slf4j.simpleLogger';
  return [
    '-Xmx512m',
    '-XX:+UseSerialGC',
    '-XX:-UsePerfData',
    `-D${log}.defaultLogLevel=warn`,
    `-D${log}.showDateTime=true`,
    `-D${log}.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSZ`,
    // Says when Kafka runs; these two warn at every start and stop.
    `-D${log}.log.kafka.server.KafkaRaftServer=info`,
    `-D${log}.log.org.apache.kafka.controller.QuorumController=error`,
    `-D${log}.log.org.apache.kafka.clients.NetworkClient=error`,
    '-cp',
    `${folder}/*`,
  ];
}

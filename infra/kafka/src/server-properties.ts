import type { Config, Passwords } from './config.ts';

export interface Addresses {
  readonly host: string;
  readonly port: number;
  /** By the name of a further listener. */
  readonly ports: Readonly<Record<string, number>>;
  readonly controllerPort: number;
  /** Folder of the log, in Kafka's sense: topics and metadata. */
  readonly logDir: string;
}

/** What suits one node whose clients are tests and one person. */
const ONE_NODE = {
  'process.roles': 'broker,controller',
  'node.id': '1',
  'controller.listener.names': 'CONTROLLER',
  'auto.create.topics.enable': 'false',
  'offsets.topic.num.partitions': '1',
  'offsets.topic.replication.factor': '1',
  'transaction.state.log.num.partitions': '1',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
  'share.coordinator.state.topic.num.partitions': '1',
  'share.coordinator.state.topic.replication.factor': '1',
  'share.coordinator.state.topic.min.isr': '1',
  // A consumer that was killed gives its partitions back as soon as it asked for; groups form at once.
  'group.min.session.timeout.ms': '500',
  'group.initial.rebalance.delay.ms': '0',
  // After kill -9 the controller takes the broker back only when the session it had is over; 9 s unless told.
  'broker.session.timeout.ms': '2000',
  'broker.heartbeat.interval.ms': '250',
  // 128 MB unless told, taken at the start.
  'log.cleaner.dedupe.buffer.size': '8388608',
} as const;

/** Beside the node that is controller and first broker. */
const SECOND_BROKER = { 'process.roles': 'broker', 'node.id': '2' } as const;

/** server.properties as text; what `config.set` holds stands over everything. */
export function serverProperties(config: Config, addresses: Addresses): string {
  const { port, controllerPort, logDir } = addresses;
  const host = addresses.host.includes(':') ? `[${addresses.host}]` : addresses.host;
  const protocol = config.passwords ? 'SASL_PLAINTEXT' : 'PLAINTEXT';
  const advertised = config.advertise ?? host;
  const further = config.listeners.map(({ name }) => `,${name}://${host}:${addresses.ports[name]}`).join('');
  const controller = config.join === undefined ? `,CONTROLLER://127.0.0.1:${controllerPort}` : '';
  const protocols = config.listeners.map((listener) => `,${listener.name}:${listener.protocol}`).join('');
  const properties: Record<string, string> = {
    ...ONE_NODE,
    ...(config.join === undefined ? {} : SECOND_BROKER),
    'log.dirs': logDir,
    listeners: `${protocol}://${host}:${port}${further}${controller}`,
    'advertised.listeners': `${protocol}://${advertised}:${port}${further}`,
    'listener.security.protocol.map': `CONTROLLER:${protocol},${protocol}:${protocol}${protocols}`,
    'inter.broker.listener.name': protocol,
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    ...(config.passwords ? sasl(config.passwords) : {}),
    ...config.set,
  };
  return Object.entries(properties)
    .map(([key, value]) => `${key}=${escapeValue(value)}\n`)
    .join('');
}

/** The broker and its controller know each other by PLAIN, as `admin`. */
function sasl({ admin, tcptrail }: Passwords): Record<string, string> {
  const plain = `org.apache.kafka.common.security.plain.PlainLoginModule required username="admin" password="${admin}" user_admin="${admin}"`;
  const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule required;';
  return {
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
    'sasl.mechanism.inter.broker.protocol': 'PLAIN',
    'sasl.mechanism.controller.protocol': 'PLAIN',
    'listener.name.sasl_plaintext.plain.sasl.jaas.config': `${plain} user_tcptrail="${tcptrail}";`,
    'listener.name.sasl_plaintext.scram-sha-256.sasl.jaas.config': scram,
    'listener.name.sasl_plaintext.scram-sha-512.sasl.jaas.config': scram,
    'listener.name.controller.sasl.enabled.mechanisms': 'PLAIN',
    'listener.name.controller.plain.sasl.jaas.config': `${plain};`,
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'allow.everyone.if.no.acl.found': 'false',
    'super.users': 'User:admin',
  };
}

/** java.util.Properties reads Latin-1, drops leading blanks, and takes a backslash for the begin of an escape. */
function escapeValue(value: string): string {
  return value.replaceAll(
    /[^ -~]|\\|^ /g,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

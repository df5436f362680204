/** What an error of the Kafka client means, as one sentence: what, the value, the remedy. */
import { AppError } from '@tcptrail/schemas/app-error.ts';
import { datesOf } from './certificate-dates.ts';
import type { KafkaConfig } from './config.ts';
import { userOf } from './user.ts';
import { PLAIN_BYTES_MAX } from './zstd-frame.ts';

export const KAFKA_ERRORS = {
  KAFKA_UNREACHABLE: 'No broker answers.',
  KAFKA_CERTIFICATE: 'The certificate of one side does not satisfy the other.',
  KAFKA_LOGIN_REFUSED: 'The brokers refuse user or password, or the way of the login.',
  KAFKA_TOKEN: 'Whoever gives tokens for the brokers gives none.',
  KAFKA_NOT_AUTHORISED: 'The user may not do this.',
  KAFKA_TOPIC_MISSING: 'A topic is not there.',
  KAFKA_TOPIC_REFUSED: 'The brokers refuse to make a topic.',
  KAFKA_MESSAGE_TOO_LARGE: 'The topic takes no message of this size.',
  KAFKA_CODEC:
    'Messages are compressed in a way the client does not know, do not decompress, or to more than it takes.',
  KAFKA_FILE: 'A file named in the configuration cannot be read.',
  KAFKA_BUSY: 'Kafka cannot do it now.',
} as const;
export type KafkaErrorCode = keyof typeof KAFKA_ERRORS;

export function kafkaError(
  code: KafkaErrorCode,
  message: string,
  options: { readonly cause?: unknown; readonly exitCode?: number } = {},
): AppError {
  return new AppError(code, message, options);
}

/** What was tried, so that the sentence can name it and the right that is missing. */
export interface Attempt {
  readonly topic?: string;
  readonly group?: string;
  /** `group` is what the names of several begin with. */
  readonly isGroupPrefix?: boolean;
  /** Operation in Kafka's words. */
  readonly operation?: 'Write' | 'Read' | 'Create' | 'Describe' | 'DescribeConfigs';
}

interface ClientError extends Error {
  readonly type?: string;
  readonly code?: string | number;
  readonly retriable?: boolean;
}

/** Already explained errors come back as they are. */
export function explain(
  error: unknown,
  config: Pick<KafkaConfig, 'brokers' | 'sasl' | 'tls'>,
  attempt: Attempt = {},
): AppError {
  const own = ownIn(error);
  if (own) return own;
  const root = rootOf(error);
  const type = root.type ?? '';
  const brokers = config.brokers.join(', ');
  const bootstrap = config.brokers.join(',');
  const user = userOf(config.sasl);
  const made = (code: KafkaErrorCode, message: string): AppError =>
    kafkaError(code, message, { cause: error });

  if (root.name === 'KafkaJSSASLAuthenticationError' || /SASL/.test(type)) {
    return made('KAFKA_LOGIN_REFUSED', refusedLogin(root, brokers, config.sasl));
  }
  if (type.endsWith('AUTHORIZATION_FAILED'))
    return notAuthorised(type, { user, bootstrap, attempt, cause: error });
  // The client asks for the group's broker first, and keeps to itself why it was not told.
  if (root.name === 'KafkaJSGroupCoordinatorNotFound' && attempt.group !== undefined) {
    return made(
      'KAFKA_NOT_AUTHORISED',
      `Kafka at ${brokers} does not tell user "${user}" the broker of group ${attempt.group}; grant it the group, unless that broker is down: ${grant(bootstrap, user, groupOption(attempt))}`,
    );
  }
  if (root.name === 'KafkaJSNotImplemented') {
    return made(
      'KAFKA_CODEC',
      `topic ${attempt.topic} holds messages that this client cannot read (${firstLine(root.message)}); write them with zstd, gzip or none, and set compression.type=producer on the topic`,
    );
  }
  const unreadable = doesNotDecompress(root);
  if (unreadable !== undefined) return made('KAFKA_CODEC', `topic ${attempt.topic} ${unreadable}`);
  if (type === 'UNKNOWN_TOPIC_OR_PARTITION')
    return topicMissing(attempt.topic ?? 'of the configuration', error);
  if (['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE'].includes(type)) {
    return made(
      'KAFKA_MESSAGE_TOO_LARGE',
      `topic ${attempt.topic} takes no message of this size; raise its max.message.bytes`,
    );
  }
  if (/CERT|LEAF_SIGNATURE|ISSUER|UNKNOWN_CA/.test(String(root.code ?? ''))) {
    return made('KAFKA_CERTIFICATE', refusedCertificate(String(root.code), brokers, config.tls));
  }
  if (isConnectionError(root)) {
    const why = typeof root.code === 'string' ? root.code : firstLine(root.message);
    return made(
      'KAFKA_UNREACHABLE',
      `Kafka does not answer at ${brokers} (${why}); start it, or set kafka.brokers${listenerHint(root, config)}`,
    );
  }
  const what = type === '' ? firstLine(root.message) : `${type}: ${firstLine(root.message)}`;
  return made(
    'KAFKA_BUSY',
    `Kafka at ${brokers} cannot do it now (${what}); see the brokers' logs if it stays so`,
  );
}

/** A broker gives the group away, or takes it over and still reads its offsets: asked again, one will know it. */
export function isGroupMoving(error: unknown): boolean {
  return ['NOT_COORDINATOR_FOR_GROUP', 'GROUP_LOAD_IN_PROGRESS'].includes(rootOf(error).type ?? '');
}

/** A broker keeps less beside an offset than it was given (offset.metadata.max.bytes). */
export function isMetadataTooLarge(error: unknown): boolean {
  return rootOf(error).type === 'OFFSET_METADATA_TOO_LARGE';
}

export function topicMissing(topic: string, cause?: unknown): AppError {
  return kafkaError(
    'KAFKA_TOPIC_MISSING',
    `topic ${topic} is not there; run 'tcptrail topic create', or set kafka.topic.create: true`,
    { cause },
  );
}

function notAuthorised(
  type: string,
  found: {
    readonly user: string;
    readonly bootstrap: string;
    readonly attempt: Attempt;
    readonly cause: unknown;
  },
): AppError {
  const { user, attempt, cause } = found;
  const { operation = 'Describe' } = attempt;
  const [what, option] = type.startsWith('GROUP')
    ? [`group ${attempt.group}`, groupOption(attempt)]
    : type.startsWith('TOPIC')
      ? [`topic ${attempt.topic}`, `--topic ${attempt.topic} --operation ${operation}`]
      : ['the cluster', `--cluster --operation ${operation === 'Write' ? 'IdempotentWrite' : operation}`];
  const right = `${operation === 'DescribeConfigs' ? 'read the settings of' : operation.toLowerCase()} ${what}`;
  return kafkaError(
    'KAFKA_NOT_AUTHORISED',
    `Kafka user "${user}" has no right to ${right}; grant it: ${grant(found.bootstrap, user, option)}`,
    { cause },
  );
}

const groupOption = ({ group, isGroupPrefix }: Attempt): string =>
  `--group ${group}${isGroupPrefix ? ' --resource-pattern-type prefixed' : ''} --operation Read`;

const grant = (brokers: string, user: string, option: string): string =>
  `kafka-acls --bootstrap-server ${brokers} --add --allow-principal User:${user} ${option}`;

function refusedLogin(error: ClientError, brokers: string, sasl: KafkaConfig['sasl']): string {
  const { mechanism } = sasl;
  if (error.type === 'UNSUPPORTED_SASL_MECHANISM' || /mechanism is not supported/.test(error.message))
    return `Kafka at ${brokers} has no login by ${mechanism}; set kafka.sasl.mechanism to one of its listener's`;
  if (mechanism === 'aws-msk-iam')
    return `Kafka at ${brokers} refuses the AWS identity of this host; allow it kafka-cluster:Connect, and set kafka.sasl.awsRegion`;
  const user = `Kafka at ${brokers} refuses user "${userOf(sasl)}" with ${mechanism}`;
  return mechanism === 'oauthbearer'
    ? `${user}: its token does not satisfy them; compare issuer, audience and scope with the settings of the listener, and set kafka.sasl.oauth`
    : `${user}; set kafka.sasl.mechanism, username and passwordFile`;
}

/** What is wrong with messages that a topic brought. */
function doesNotDecompress({ code, message }: ClientError): string | undefined {
  const passOver =
    "end all consumers and set the group behind them ('kafka-consumer-groups --reset-offsets'; lag_messages tells the partition)";
  if (code === 'ERR_BUFFER_TOO_LARGE')
    return `holds messages that are larger than ${PLAIN_BYTES_MAX / 2 ** 20} MiB when decompressed, as no agent writes them; see who may write to it, and to pass over them ${passOver}`;
  if (/^(ZSTD_error_|Z_)/.test(String(code ?? '')))
    return `brought messages that are damaged (${firstLine(message)}); if it stays so they are on a broker's disk: let another replica lead the partition, or to pass over them ${passOver}`;
  return undefined;
}

/** Of the brokers, or of the client when the brokers sent an alert. */
function refusedCertificate(code: string, brokers: string, tls: KafkaConfig['tls']): string {
  if (code.includes('ALERT')) {
    const dates = datesOf(tls.certFile);
    return dates === ''
      ? `Kafka at ${brokers} refuses the client's certificate (${code}); set kafka.tls.certFile and keyFile to one that its authority signed`
      : `Kafka at ${brokers} refuses the client's certificate (${code}): ${dates}; renew kafka.tls.certFile`;
  }
  if (/EXPIRED|NOT_YET_VALID/.test(code))
    return `the certificate of Kafka at ${brokers}, or of its authority, is out of date (${code}); renew it there, or set the clock of this host`;
  if (/ALTNAME/.test(code))
    return `the certificate of Kafka at ${brokers} is of another host (${code}); write kafka.brokers, and advertised.listeners there, as it names them`;
  return `the certificate of Kafka at ${brokers} is not trusted (${code}); set kafka.tls.caFile to the authority that signed it`;
}

/** The client wraps errors of a handler of ours, too. */
function ownIn(error: unknown): AppError | undefined {
  for (let at = error; at instanceof Error; at = at.cause) if (at instanceof AppError) return at;
  return undefined;
}

/** The client wraps what happened, sometimes twice. */
function rootOf(error: unknown): ClientError {
  const found = error as ClientError & { readonly errors?: readonly unknown[] };
  if (!(error instanceof Error)) return new Error(String(error));
  const inner = found.cause ?? found.errors?.[0];
  return inner instanceof Error && inner !== error ? rootOf(inner) : found;
}

const CONNECTION_ERRORS = new Set([
  'KafkaJSConnectionError',
  'KafkaJSConnectionClosedError',
  'KafkaJSRequestTimeoutError',
  'KafkaJSBrokerNotFound',
  'KafkaJSNoBrokerAvailableError',
  'KafkaJSLockTimeout',
]);

function isConnectionError(error: ClientError): boolean {
  return CONNECTION_ERRORS.has(error.name) || /^(E[A-Z]+|ERR_(SSL|TLS)\w*)$/.test(String(error.code ?? ''));
}

/** A listener hangs up on a client that does not speak as it does. */
function listenerHint(error: ClientError, { sasl }: Pick<KafkaConfig, 'sasl'>): string {
  if (error.name !== 'KafkaJSConnectionClosedError' && !/SSL|TLS|ECONNRESET/.test(String(error.code)))
    return '';
  const login = sasl.mechanism === 'none' ? ', and kafka.sasl.mechanism' : '';
  return `; if it runs: is kafka.tls.enabled${login} as its listener wants it?`;
}

function firstLine(text: string): string {
  return (text.split('\n')[0] ?? '').slice(0, 200);
}

/** What every part says about Kafka in its configuration, under `kafka`. */
import type { ConfigOf } from '@tcptrail/config/load.ts';
import { secret, secretFile } from '@tcptrail/config/secret.ts';
import { httpUrl, KIB, MIB } from '@tcptrail/config/value.ts';
import { z } from 'zod';

const HOUR_MS = 3_600_000;

const broker = z
  .string()
  .regex(/^(\[[0-9a-fA-F:]+\]|[^\s:,]+):\d{1,5}$/)
  .meta({ rule: 'host:port' });
const topicName = () =>
  z
    .string()
    .regex(/^[a-zA-Z0-9._-]{1,249}$/)
    .meta({ rule: '1 to 249 of letters, digits, ., _ and -' });
const pemFile = () => z.string().default('').meta({ rule: 'the path of a file' });

/** http is for a helper on this machine. */
function isSafeForSecrets(url: string): boolean {
  if (!URL.canParse(url)) return true;
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' || /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}

export const kafkaKeys = z.strictObject({
  brokers: z
    .array(broker)
    .min(1)
    .default(['127.0.0.1:9092'])
    .describe('Brokers to begin with; the others are learned from them.'),
  clientId: z
    .string()
    .min(1)
    .max(255)
    .default('tcptrail')
    .describe('Name in the logs and quotas of the brokers.'),
  tls: z
    .strictObject({
      enabled: z.boolean().default(false).describe('Whether connections are encrypted.'),
      caFile: pemFile().describe(
        'PEM file of the authority that signed the brokers; empty = the public ones that Node.js knows. The three files are read again when they change; unfit ones are told, and the former stay.',
      ),
      certFile: pemFile().describe("PEM file of the client's certificate; empty = none."),
      keyFile: pemFile().describe(
        "PEM file of the client's private key, without a passphrase; empty = none.",
      ),
    })
    .refine(
      ({ certFile, keyFile }) => (certFile === '') === (keyFile === ''),
      'set both certFile and keyFile in it, or none of them',
    )
    .prefault({}),
  sasl: z
    .strictObject({
      mechanism: z
        .enum(['none', 'plain', 'scram-sha-256', 'scram-sha-512', 'oauthbearer', 'aws-msk-iam'])
        .default('none')
        .describe('How the client proves who it is.'),
      username: z.string().default('').describe('User of the brokers, for plain and scram.'),
      password: secret().describe('Password of that user.'),
      passwordFile: secretFile('password').describe(
        'File whose first line is the password; wins over `password`. Read again at each login.',
      ),
      oauth: z
        .strictObject({
          tokenUrl: z
            .union([z.literal(''), httpUrl()])
            .refine(
              isSafeForSecrets,
              'must begin with https://, or lead to this machine (localhost, 127.0.0.1, [::1]): the secret would go over the network for all to read',
            )
            .default('')
            .meta({
              rule: 'a URL that begins with https://, or with http:// and leads to this machine',
              type: 'string',
            })
            .describe('For oauthbearer: where the client asks for tokens (client credentials).'),
          clientId: z.string().default('').describe('Name of the client there.'),
          clientSecret: secret().describe('Secret of that client.'),
          clientSecretFile: secretFile('clientSecret').describe(
            'File whose first line is the secret; wins over `clientSecret`. Read again for each token.',
          ),
          scope: z
            .string()
            .default('')
            .describe('Scope that is asked for; empty = the default of the server.'),
          caFile: pemFile().describe(
            'PEM file of the authority that signed that server; empty = the public ones that Node.js knows.',
          ),
        })
        .prefault({}),
      awsRegion: z
        .string()
        .regex(/^([a-z]{2}(-[a-z]+)+-\d)?$/)
        .default('')
        .meta({ rule: 'a region such as eu-central-1' })
        .describe(
          'For aws-msk-iam: region of the cluster; empty = AWS_REGION. It needs the npm package aws-msk-iam-sasl-signer-js beside tcptrail, and was never run against AWS.',
        ),
    })
    .refine(
      ({ mechanism, oauth }) =>
        mechanism !== 'oauthbearer' || (oauth.tokenUrl !== '' && oauth.clientId !== ''),
      'set oauth.tokenUrl and oauth.clientId in it, as mechanism oauthbearer needs them',
    )
    .prefault({}),
  topic: z
    .strictObject({
      events: topicName().default('tcptrail.events').describe('Topic of the batches.'),
      deadLetter: topicName()
        .default('tcptrail.dead_letter')
        .describe('Topic of the messages that cannot be stored.'),
      create: z.boolean().default(true).describe('Whether a missing topic is made, with the settings below.'),
      partitions: z
        .int()
        .min(1)
        .max(10_000)
        .default(12)
        .describe('Partitions of the events topic when it is made.'),
      replicationFactor: z
        .int()
        .min(-1)
        .max(32)
        .refine((value) => value !== 0, 'must be -1 or at least 1')
        .default(-1)
        .describe("Copies of each partition of a topic that is made; -1 = the brokers' default."),
      retentionMs: z
        .int()
        .min(HOUR_MS)
        .default(168 * HOUR_MS)
        .describe('Milliseconds that a topic that is made keeps its messages.'),
      messageBytesMax: z
        .int()
        .min(64 * KIB)
        .max(64 * MIB)
        .default(4 * MIB)
        .describe('Largest compressed set of messages that a topic that is made takes.'),
    })
    .prefault({}),
});

export const kafkaSection = kafkaKeys.prefault({});
export type KafkaConfig = ConfigOf<typeof kafkaKeys>;

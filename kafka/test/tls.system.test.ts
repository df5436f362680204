import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { AppError } from '@tcptrail/schemas/app-error.ts';
import type { Kafka } from 'kafkajs';
import { type Certificate, createAuthority, tlsListener } from '../../test/harness/certificates.ts';
import { startKafka, type TestKafka } from '../../test/harness/kafka.ts';
import { withAdmin } from '../src/admin.ts';
import { createKafka } from '../src/client.ts';
import { type KafkaConfig, kafkaKeys } from '../src/config.ts';

const folder = mkdtempSync(join(tmpdir(), 'tcptrail-tls-'));
const authority = createAuthority(folder);
const stranger = createAuthority(folder, 'stranger');
const client = authority.issue('client');

/** What is refused once is refused again. */
const ONCE = { retriesMax: 0 };

let kafka: TestKafka;
before(async () => {
  const { caFile } = authority;
  const listener = (name: string, store: Certificate, auth: 'required' | 'none' = 'none') =>
    tlsListener(name, { store, caFile, auth });
  kafka = await startKafka({
    listeners: { MTLS: 'SSL', EXPIRED: 'SSL', OTHER: 'SSL' },
    set: {
      ...listener('MTLS', authority.issue('broker'), 'required'),
      ...listener('EXPIRED', authority.issue('expired', { isExpired: true })),
      ...listener('OTHER', authority.issue('other', { san: 'DNS:other.test' })),
    },
  });
});
after(async () => {
  await kafka?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const own = ({ certFile, keyFile }: Certificate = client) => ({
  enabled: true,
  caFile: authority.caFile,
  certFile,
  keyFile,
});

const sectionOf = (listener: string, tls: object): KafkaConfig =>
  kafkaKeys.parse({ brokers: kafka.listeners[listener], tls });

/** Lists the topics; what went wrong comes back explained. */
async function ask(listener: string, tls: object): Promise<readonly string[]> {
  return await withAdmin(sectionOf(listener, tls), (admin) => admin.listTopics(), ONCE);
}

test('with the authority and a certificate of its own the client is let in', async () => {
  assert.deepEqual(await ask('MTLS', own()), []);
});

const REFUSED: readonly (readonly [string, string, () => object, object])[] = [
  [
    'plain text to a TLS listener is told as such',
    'MTLS',
    () => ({ enabled: false }),
    {
      code: 'KAFKA_UNREACHABLE',
      message: /is kafka\.tls\.enabled, and kafka\.sasl\.mechanism as its listener wants it\?/,
    },
  ],
  [
    'brokers that none of the public authorities signed are refused',
    'MTLS',
    () => ({ ...own(), caFile: '' }),
    {
      code: 'KAFKA_CERTIFICATE',
      message: /is not trusted \(UNABLE_TO_VERIFY_LEAF_SIGNATURE\); set kafka\.tls\.caFile/,
    },
  ],
  [
    'brokers that another authority signed are refused',
    'MTLS',
    () => ({ ...own(), caFile: stranger.caFile }),
    { code: 'KAFKA_CERTIFICATE', message: /is not trusted \(\w+\); set kafka\.tls\.caFile/ },
  ],
  [
    'brokers whose certificate has expired are refused',
    'EXPIRED',
    () => own(),
    { code: 'KAFKA_CERTIFICATE', message: /is out of date \(CERT_HAS_EXPIRED\); renew it there/ },
  ],
  [
    'brokers whose certificate names another host are refused',
    'OTHER',
    () => own(),
    { code: 'KAFKA_CERTIFICATE', message: /is of another host \(ERR_TLS_CERT_ALTNAME_INVALID\); write/ },
  ],
  [
    'a client without a certificate is refused where the brokers want one',
    'MTLS',
    () => ({ enabled: true, caFile: authority.caFile }),
    {
      code: 'KAFKA_CERTIFICATE',
      message: /refuses the client's certificate \(.*\); set kafka\.tls\.certFile and keyFile/,
    },
  ],
  [
    'a client that another authority signed is refused',
    'MTLS',
    () => own(stranger.issue('unknown')),
    {
      code: 'KAFKA_CERTIFICATE',
      message: /refuses the client's certificate \(.*\); set .* to one that its authority signed/,
    },
  ],
  [
    'a client whose certificate has expired is told since when',
    'MTLS',
    () => own(authority.issue('late', { isExpired: true })),
    {
      code: 'KAFKA_CERTIFICATE',
      message: /refuses the client's certificate \(.*\): it expired 20.*Z; renew kafka\.tls\.certFile$/,
    },
  ],
  [
    'a file that cannot be read is named with its key',
    'MTLS',
    () => ({ enabled: true, caFile: '/nowhere.pem' }),
    {
      code: 'KAFKA_FILE',
      message: 'kafka.tls.caFile /nowhere.pem cannot be read (ENOENT); make it readable',
    },
  ],
  [
    'a key with a passphrase is told as such',
    'MTLS',
    () => {
      const keyFile = join(folder, 'encrypted.key');
      execFileSync('openssl', [
        'pkcs8',
        '-topk8',
        '-in',
        client.keyFile,
        '-out',
        keyFile,
        '-passout',
        'pass:1234',
      ]);
      return { ...own(), keyFile };
    },
    { code: 'KAFKA_FILE', message: /^kafka\.tls\.keyFile \S+ is encrypted; give one without a passphrase/ },
  ],
  [
    'a key that is not of the certificate is named with it',
    'MTLS',
    () => ({ ...own(), keyFile: authority.issue('pair').keyFile }),
    { code: 'KAFKA_FILE', message: /^kafka\.tls\.certFile .* and keyFile .* are no pair/ },
  ],
];

for (const [fact, listener, tls, error] of REFUSED) {
  test(fact, async () => {
    await assert.rejects(ask(listener, tls()), error);
  });
}

/** One client for the whole test, as a part has it; its connections are new ones. */
function longLived() {
  const [certFile, keyFile] = [join(folder, 'renewed.pem'), join(folder, 'renewed.key')];
  const put = (made: Certificate): void => {
    copyFileSync(made.certFile, certFile);
    copyFileSync(made.keyFile, keyFile);
  };
  put(authority.issue('first'));
  const config = sectionOf('MTLS', { ...own(), certFile, keyFile });
  const unfit: AppError[] = [];
  const kafkaClient: Kafka = createKafka(config, { ...ONCE, onUnfit: (error) => unfit.push(error) });
  const connect = () => withAdmin(config, (admin) => admin.listTopics(), { client: kafkaClient });
  return { certFile, keyFile, put, unfit, connect };
}

test('a renewed certificate is used at the next connection', async () => {
  const { put, unfit, connect } = longLived();
  await connect();
  // That it is read is seen by what the brokers say of it.
  put(stranger.issue('renewed-wrongly'));
  await assert.rejects(connect(), { code: 'KAFKA_CERTIFICATE' });
  put(authority.issue('renewed'));
  await connect();
  assert.deepEqual(unfit, []);
});

test('of files that are unfit the former stay, and each is told once with the reason', async () => {
  const { certFile, keyFile, put, unfit, connect } = longLived();
  const told = (): readonly string[] => unfit.splice(0).map(({ message }) => message);
  await connect();
  writeFileSync(certFile, 'half a certifi');
  await connect();
  await connect();
  assert.match(
    told().join('\n'),
    /^kafka\.tls\.certFile \S+renewed\.pem holds no certificate \(\w+\); give PEM files that go together$/,
  );
  copyFileSync(authority.issue('half').certFile, certFile);
  await connect();
  assert.match(told().join('\n'), /^kafka\.tls\.certFile \S+ and keyFile \S+ are no pair/);
  rmSync(keyFile);
  await connect();
  assert.match(told().join('\n'), /^kafka\.tls\.keyFile \S+renewed\.key cannot be read \(ENOENT\)/);
  put(authority.issue('outdated', { isExpired: true }));
  await connect();
  assert.match(told().join('\n'), /^kafka\.tls\.certFile \S+ is of no use: it expired 20\S+Z; renew it$/m);
  put(authority.issue('whole'));
  await connect();
  assert.deepEqual(told(), []);
});

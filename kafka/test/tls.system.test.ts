import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startKafka, type TestKafka } from '../../test/harness/kafka.ts';
import { createKafka } from '../src/client.ts';
import { kafkaKeys } from '../src/config.ts';
import { explain } from '../src/errors.ts';

const folder = mkdtempSync(join(tmpdir(), 'tcptrail-tls-'));
const file = (name: string): string => join(folder, name);
const openssl = (...args: string[]): void =>
  void execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });

/** A key and a certificate for 127.0.0.1 that the authority signed. */
function certify(name: string): void {
  openssl(
    'req',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    `${name}.key`,
    '-out',
    `${name}.csr`,
    '-subj',
    `/CN=${name}`,
  );
  writeFileSync(file(`${name}.ext`), 'subjectAltName=IP:127.0.0.1');
  const by = [
    '-CA',
    'ca.pem',
    '-CAkey',
    'ca.key',
    '-CAcreateserial',
    '-days',
    '2',
    '-extfile',
    `${name}.ext`,
  ];
  openssl('x509', '-req', '-in', `${name}.csr`, '-out', `${name}.pem`, ...by);
}

let kafka: TestKafka;
before(async () => {
  openssl(
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
    '-days',
    '2',
    '-subj',
    '/CN=ca',
  );
  certify('broker');
  certify('client');
  writeFileSync(
    file('broker.store'),
    readFileSync(file('broker.key'), 'utf8') + readFileSync(file('broker.pem'), 'utf8'),
  );
  kafka = await startKafka({
    set: {
      'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:SSL',
      'ssl.client.auth': 'required',
      'ssl.keystore.type': 'PEM',
      'ssl.keystore.location': file('broker.store'),
      'ssl.truststore.type': 'PEM',
      'ssl.truststore.location': file('ca.pem'),
    },
  });
});
after(async () => {
  await kafka?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Lists the topics; what went wrong comes back explained. */
async function ask(tls: object): Promise<readonly string[]> {
  const config = kafkaKeys.parse({ brokers: kafka.brokers, tls });
  const admin = createKafka(config).admin();
  try {
    await admin.connect();
    return await admin.listTopics();
  } catch (error) {
    throw explain(error, config);
  } finally {
    await admin.disconnect().catch(() => {});
  }
}

const own = () => ({ caFile: file('ca.pem'), certFile: file('client.pem'), keyFile: file('client.key') });

test('with the authority and a certificate of its own the client is let in', async () => {
  assert.deepEqual(await ask({ enabled: true, ...own() }), []);
});

test('plain text to a TLS listener is told as such', async () => {
  await assert.rejects(ask({ enabled: false }), {
    code: 'KAFKA_UNREACHABLE',
    message: /is kafka\.tls\.enabled, and kafka\.sasl\.mechanism as its listener wants it\?/,
  });
});

test('brokers that an unknown authority signed are refused', async () => {
  await assert.rejects(ask({ enabled: true, ...own(), caFile: '' }), {
    code: 'KAFKA_CERTIFICATE',
    message: /is not trusted \(UNABLE_TO_VERIFY_LEAF_SIGNATURE\); set kafka\.tls\.caFile/,
  });
});

test('a client without a certificate is refused where the brokers want one', async () => {
  await assert.rejects(ask({ enabled: true, caFile: file('ca.pem') }), {
    code: 'KAFKA_CERTIFICATE',
    message: /refuses the client's certificate \(.*\); set kafka\.tls\.certFile and keyFile/,
  });
});

test('a file that cannot be read is named with its key', async () => {
  await assert.rejects(ask({ enabled: true, caFile: '/nowhere.pem' }), {
    code: 'KAFKA_FILE',
    message: 'kafka.tls.caFile /nowhere.pem cannot be read (ENOENT); make it readable',
  });
});

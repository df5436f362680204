/** A Kafka with a listener for each way to log in, and the section `kafka` that goes each of them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAuthority, tlsListener } from '../harness/certificates.ts';
import { startKafka, type TestKafka } from '../harness/kafka.ts';
import { AUDIENCE, ISSUER, startTokenServer, type TokenServer } from '../harness/token-server.ts';

const SECRET = 'client-secret-of-the-test';
const LOGIN = 'listener.name.login';
const OAUTH = 'org.apache.kafka.common.security.oauthbearer';
const SCRAM = 'org.apache.kafka.common.security.scram.ScramLoginModule required;';

export interface SecuredKafka {
  readonly kafka: TestKafka;
  readonly tokens: TokenServer;
  readonly folder: string;
  /** Texts that no message may hold. */
  readonly secrets: readonly string[];
  /** By name. */
  readonly ways: Readonly<Record<string, object>>;
  /** The listener with all logins, over TLS. */
  login(sasl: object): object;
  /** As OAUTHBEARER, with this changed. */
  oauth(change: object): object;
  /** A file in the folder. */
  file(name: string, text: string): string;
  stop(): Promise<void>;
}

export async function startSecuredKafka(): Promise<SecuredKafka> {
  const folder = mkdtempSync(join(tmpdir(), 'tcptrail-logins-'));
  const { caFile, issue } = createAuthority(folder);
  const [store, { certFile, keyFile }] = [issue('broker'), issue('client')];
  const tokens = await startTokenServer({ id: 'tcptrail', secret: SECRET });
  const kafka = await startKafka({
    sasl: true,
    listeners: {
      TLS: 'SSL',
      MTLS: 'SSL',
      LOGIN: 'SASL_SSL',
      SCRAM: 'SASL_PLAINTEXT',
      SHORT: 'SASL_PLAINTEXT',
    },
    set: {
      // Who may do what is another test's.
      'allow.everyone.if.no.acl.found': 'true',
      ...tlsListener('TLS', { store, caFile, auth: 'none' }),
      ...tlsListener('MTLS', { store, caFile, auth: 'required' }),
      ...tlsListener('LOGIN', { store, caFile, auth: 'none' }),
      'listener.name.scram.sasl.enabled.mechanisms': 'SCRAM-SHA-512',
      'listener.name.scram.scram-sha-512.sasl.jaas.config': SCRAM,
      // kafkajs logs in again ten seconds before the end, so a second and a half after the login.
      'listener.name.short.sasl.enabled.mechanisms': 'SCRAM-SHA-512',
      'listener.name.short.scram-sha-512.sasl.jaas.config': SCRAM,
      'listener.name.short.scram-sha-512.connections.max.reauth.ms': '11500',
      [`${LOGIN}.sasl.enabled.mechanisms`]: 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER',
      [`${LOGIN}.plain.sasl.jaas.config`]:
        'org.apache.kafka.common.security.plain.PlainLoginModule required user_tcptrail="tcptrail-test";',
      [`${LOGIN}.scram-sha-256.sasl.jaas.config`]: SCRAM,
      [`${LOGIN}.scram-sha-512.sasl.jaas.config`]: SCRAM,
      [`${LOGIN}.oauthbearer.sasl.jaas.config`]: `${OAUTH}.OAuthBearerLoginModule required;`,
      [`${LOGIN}.oauthbearer.sasl.server.callback.handler.class`]: `${OAUTH}.OAuthBearerValidatorCallbackHandler`,
      [`${LOGIN}.sasl.oauthbearer.jwks.endpoint.url`]: tokens.jwksUrl,
      [`${LOGIN}.sasl.oauthbearer.expected.audience`]: AUDIENCE,
      [`${LOGIN}.sasl.oauthbearer.expected.issuer`]: ISSUER,
    },
  });
  const password = kafka.passwords.tcptrail;
  const overTls = { enabled: true, caFile };
  const login = (sasl: object): object => ({ brokers: kafka.listeners['LOGIN'], tls: overTls, sasl });
  const user = { username: 'tcptrail', password };
  const client = { tokenUrl: tokens.tokenUrl, clientId: 'tcptrail', clientSecret: SECRET };
  const oauth = (change: object): object =>
    login({ mechanism: 'oauthbearer', oauth: { ...client, ...change } });
  return {
    kafka,
    tokens,
    folder,
    secrets: [password, SECRET],
    ways: {
      TLS: { brokers: kafka.listeners['TLS'], tls: overTls },
      mTLS: { brokers: kafka.listeners['MTLS'], tls: { ...overTls, certFile, keyFile } },
      PLAIN: login({ mechanism: 'plain', ...user }),
      'SCRAM-SHA-256': login({ mechanism: 'scram-sha-256', ...user }),
      'SCRAM-SHA-512': login({ mechanism: 'scram-sha-512', ...user }),
      OAUTHBEARER: oauth({}),
    },
    login,
    oauth,
    file(name, text) {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    },
    async stop() {
      await kafka.stop();
      tokens.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '@tcptrail/config/load.ts';
import { printConfig } from '@tcptrail/config/print.ts';
import { z } from 'zod';
import { kafkaSection } from '../src/config.ts';

const SCHEMA = z.strictObject({ kafka: kafkaSection });
const load = (env: Record<string, string>) =>
  loadConfig(SCHEMA, { part: 'nowhere', file: '/nowhere.yaml', required: false, env });

test('oauthbearer without an endpoint or a client is refused with what it needs', () => {
  for (const given of [{}, { TCPTRAIL_KAFKA_SASL_OAUTH_TOKEN_URL: 'https://idp.example/token' }]) {
    assert.throws(() => load({ TCPTRAIL_KAFKA_SASL_MECHANISM: 'oauthbearer', ...given }), {
      code: 'CONFIG_INVALID',
      message: /kafka\.sasl .*set oauth\.tokenUrl and oauth\.clientId in it/,
    });
  }
});

test('a certificate without its key is refused, and a key without its certificate', () => {
  for (const variable of ['TCPTRAIL_KAFKA_TLS_CERT_FILE', 'TCPTRAIL_KAFKA_TLS_KEY_FILE']) {
    assert.throws(() => load({ [variable]: '/etc/tcptrail/client.pem' }), {
      code: 'CONFIG_INVALID',
      message: /kafka\.tls .*set both certFile and keyFile in it, or none of them/,
    });
  }
});

test('an endpoint that is no URL is refused with what it must be', () => {
  assert.throws(() => load({ TCPTRAIL_KAFKA_SASL_OAUTH_TOKEN_URL: 'idp.example' }), {
    message: /TCPTRAIL_KAFKA_SASL_OAUTH_TOKEN_URL is "idp\.example"; give a URL that begins with http/,
  });
});

test('an endpoint in the clear is refused, unless it is on this machine', () => {
  const at = (url: string) => () => load({ TCPTRAIL_KAFKA_SASL_OAUTH_TOKEN_URL: url });
  for (const host of ['idp.example', '10.0.0.1', '127.0.0.1.evil.example', 'localhost.example'])
    assert.throws(at(`http://${host}/token`), {
      code: 'CONFIG_INVALID',
      message: /must begin with https:\/\/, or lead to this machine/,
    });
  for (const url of [
    'https://idp.example',
    'http://127.0.0.1:1',
    'http://localhost',
    'http://[::1]:80/token',
  ])
    assert.equal(at(url)().kafka.sasl.oauth.tokenUrl, url);
});

test('--print-config shows neither password nor client secret', () => {
  const config = load({
    TCPTRAIL_KAFKA_SASL_MECHANISM: 'oauthbearer',
    TCPTRAIL_KAFKA_SASL_PASSWORD: 'hidden-1',
    TCPTRAIL_KAFKA_SASL_OAUTH_TOKEN_URL: 'https://user:hidden-2@idp.example/token',
    TCPTRAIL_KAFKA_SASL_OAUTH_CLIENT_ID: 'tcptrail',
    TCPTRAIL_KAFKA_SASL_OAUTH_CLIENT_SECRET: 'hidden-3',
  });
  const shown = printConfig(SCHEMA, config);
  assert.doesNotMatch(shown, /hidden/);
  assert.match(shown, /clientSecret: \(set\)/);
});

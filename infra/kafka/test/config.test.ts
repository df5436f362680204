import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCommandLine, TEST_PASSWORDS } from '../src/config.ts';

const data = ['--data', '/d'];

test('what is left out is 127.0.0.1, port 9092, open to anybody', () => {
  const config = { dataDir: '/d', host: '127.0.0.1', port: 9092, listeners: [], set: {} };
  assert.deepEqual(parseCommandLine(data, {}), config);
});

test('--set may be repeated, and its value may hold =', () => {
  const { set } = parseCommandLine([...data, '--set', 'a.b=1', '--set', 'c=x=y'], {});
  assert.deepEqual(set, { 'a.b': '1', c: 'x=y' });
});

test('--listener may be repeated, with a port or a free one', () => {
  const given = ['--listener', 'MTLS=SSL', '--listener', 'LOGIN=SASL_SSL:9093'];
  assert.deepEqual(parseCommandLine([...data, ...given], {}).listeners, [
    { name: 'MTLS', protocol: 'SSL', port: 0 },
    { name: 'LOGIN', protocol: 'SASL_SSL', port: 9093 },
  ]);
});

test('the passwords of --sasl are those of the environment, on loopback else those of tests', () => {
  assert.deepEqual(parseCommandLine([...data, '--sasl'], {}).passwords, TEST_PASSWORDS);
  const env = { TCPTRAIL_KAFKA_ADMIN_PASSWORD: 'one', TCPTRAIL_KAFKA_PASSWORD: 'two' };
  const beyond = parseCommandLine([...data, '--sasl', '--host', '192.0.2.1'], env);
  assert.deepEqual(beyond.passwords, { admin: 'one', tcptrail: 'two' });
});

const WRONG: readonly (readonly [readonly string[], RegExp, NodeJS.ProcessEnv?])[] = [
  [[], /^no data folder: give --data/],
  [['--data', '/a,b'], /^data folder "\/a,b" has a comma/],
  [[...data, '--port', '65536'], /^--port is '65536': give a number from 0 to 65535$/],
  [[...data, '--port', ''], /^--port is ''/],
  [[...data, '--nonsense'], /^Unknown option '--nonsense': give --data/],
  [[...data, 'nonsense'], /^Unexpected argument 'nonsense'/],
  [[...data, '--set', 'num.partitions'], /^--set is 'num\.partitions': give key=value/],
  [[...data, '--set', 'listeners=X'], /^--set listeners is decided by the start itself/],
  [[...data, '--listener', 'MTLS'], /^--listener is 'MTLS': give NAME=PROTOCOL\[:port\]/],
  [[...data, '--sasl', '--host', '192.0.2.1', '--listener', 'A=SSL'], /^--listener goes with loopback alone/],
  [[...data, '--host', '0.0.0.0'], /^refusing to listen on '0\.0\.0\.0' for anybody: give --sasl/],
  [[...data, '--sasl', '--host', '0.0.0.0'], /^TCPTRAIL_KAFKA_ADMIN_PASSWORD is not set/],
  [[...data, '--sasl'], /^TCPTRAIL_KAFKA_PASSWORD has a sign/, { TCPTRAIL_KAFKA_PASSWORD: 'a"b' }],
];

for (const [args, message, env] of WRONG) {
  test(`wrong usage is told: ${message.source}`, () => {
    assert.throws(() => parseCommandLine(args, env ?? {}), { exitCode: 2, message });
  });
}

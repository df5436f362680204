import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isOneSentence, run } from './run-command.ts';

const version = (
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
).version;

test('--version prints the version, --help the commands, both with exit code 0', async () => {
  assert.deepEqual(await run(['--version']), { code: 0, signal: null, stdout: `${version}\n`, stderr: '' });
  const help = await run(['--help']);
  assert.equal(help.code, 0);
  for (const name of [
    'up',
    'stop',
    'query',
    'tail',
    'topic',
    'spool',
    'import',
    'doctor',
    'agent',
    'consumer',
    'uninstall',
    'completion',
  ])
    assert.match(help.stdout, new RegExp(`^ {2}${name}\\b`, 'm'));
  assert.match(help.stdout, /Examples:/);
});

test('without a command the help goes to stderr, exit code 2', async () => {
  const ended = await run([]);
  assert.equal(ended.code, 2);
  assert.equal(ended.stdout, '');
  assert.match(ended.stderr, /Usage: tcptrail/);
});

test('topic alone prints its commands, exit code 2', async () => {
  const ended = await run(['topic']);
  assert.equal(ended.code, 2);
  assert.equal(ended.stdout, '');
  assert.match(ended.stderr, /Usage: tcptrail topic .*^ {2}describe\b.*^ {2}create\b/ms);
});

const wrong: readonly (readonly [string, readonly string[], RegExp])[] = [
  ['an unknown command', ['nope'], /unknown command 'nope'/],
  ['a mistyped command', ['quary', 'x'], /Did you mean query/],
  ['an unknown option', ['query', '--nope', 'x'], /unknown option '--nope'/],
  ['a missing argument', ['query'], /missing required argument 'sql'/],
  ['a port that is none', ['up', '--port', '70000'], /whole number from 0 to 65535/],
  ['two formats', ['query', '--json', '--csv', 'x'], /cannot be used with/],
  ['empty SQL', ['query', ' '], /the SQL is empty/],
  ['a peer that is none', ['tail', '--peer', '10.0.0'], /no address such as/],
  ['an address that is none', ['query', '--url', 'nowhere', 'x'], /no address such as/],
  [
    'a password file that is not there',
    ['query', '--password-file', '/nowhere', 'x'],
    /cannot read \/nowhere \(ENOENT\)/,
  ],
  ['a broker that is none', ['up', '--brokers', 'kafka'], /kafka is no broker such as 10\.0\.0\.1:9092/],
  ['an unknown command of topic', ['topic', 'nope'], /unknown command 'nope'; see 'tcptrail topic --help'/],
  [
    'an unknown option of a command of topic',
    ['topic', 'create', '--nope'],
    /unknown option '--nope'; see 'tcptrail topic create --help'/,
  ],
  ['an unknown command of spool', ['spool', 'nope'], /unknown command 'nope'; see 'tcptrail spool --help'/],
  ['another shell', ['completion', 'fish'], /known are bash and zsh/],
];
for (const [name, args, sentence] of wrong) {
  test(`${name} is one sentence with exit code 2`, async () => {
    const ended = await run(args);
    assert.equal(ended.code, 2, ended.stderr);
    assert.ok(isOneSentence(ended.stderr), ended.stderr);
    assert.match(ended.stderr, sentence);
    assert.equal(ended.stdout, '');
  });
}

test('ClickHouse that does not answer is one sentence with exit code 1', async () => {
  for (const command of [['query', 'SELECT 1'], ['tail']]) {
    const ended = await run([...command, '--url', 'http://127.0.0.1:1']);
    assert.equal(ended.code, 1);
    assert.ok(isOneSentence(ended.stderr), ended.stderr);
    assert.match(ended.stderr, /does not answer at http:\/\/127\.0\.0\.1:1 \(ECONNREFUSED\); start it with/);
  }
});

test('a server that is no ClickHouse is one sentence too', async () => {
  const server = createServer(
    (_request, response) => void response.writeHead(404).end('<html>\nnot here</html>'),
  );
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  const ended = await run(['query', 'SELECT 1', '--url', `http://127.0.0.1:${port}`]);
  server.close();
  assert.equal(ended.code, 1);
  assert.ok(isOneSentence(ended.stderr), ended.stderr);
});

test('stop where nothing runs says so', async () => {
  const ended = await run(['stop', '--home', '/tmp/tcptrail-is-not-here']);
  assert.equal(ended.code, 0);
  assert.equal(ended.stdout, 'nothing runs for /tmp/tcptrail-is-not-here\n');
});

const NOBODY = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups'];
const root = process.getuid?.() === 0;

for (const command of ['up', 'uninstall']) {
  test(`${command} without root is one sentence with exit code 3`, async () => {
    const ended = await run([command, '--home', '/tmp/tcptrail-is-not-here'], root ? { as: NOBODY } : {});
    assert.equal(ended.code, 3);
    assert.ok(isOneSentence(ended.stderr), ended.stderr);
    assert.match(ended.stderr, /needs root .* sudo/);
  });
}

test('doctor without root names the privilege and ends with exit code 3', async () => {
  const ended = await run(['doctor', '--home', '/tmp/tcptrail-is-not-here'], root ? { as: NOBODY } : {});
  assert.equal(ended.code, 3);
  assert.match(ended.stdout, /✘ privileges +not root/);
  assert.equal(ended.stderr, '');
});

for (const part of ['agent', 'consumer']) {
  test(`${part} runs as itself: an unknown key of its configuration is named, exit code 2`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tcptrail-config-'));
    const file = join(folder, 'config.yaml');
    writeFileSync(file, 'spol: {}\n');
    const ended = await run([part, '--config', file]);
    rmSync(folder, { recursive: true });
    assert.equal(ended.code, 2, ended.stderr);
    assert.match(ended.stderr, /unknown key spol/);
    assert.doesNotMatch(ended.stderr, /\n\s+at /);
  });
}

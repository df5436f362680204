import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { fetchJars } from '../src/jars.ts';

const PATH = process.env.PATH ?? '';
let home = '';

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'local-kafka-jars-'));
  writeFileSync(join(home, 'pom.xml'), '<kafka.version>4.9.9</kafka.version>');
});

afterEach(() => {
  process.env.PATH = PATH;
  rmSync(home, { recursive: true, force: true });
});

/** Puts a Maven on PATH that writes one jar and ends with `status`. */
function installMaven(status: number): void {
  mkdirSync(join(home, 'bin'), { recursive: true });
  const script = `#!/bin/sh
for argument; do
  case $argument in -DoutputDirectory=*) echo jar > "\${argument#*=}/kafka.jar"; exit ${status} ;; esac
done
`;
  writeFileSync(join(home, 'bin/mvn'), script, { mode: 0o755 });
  process.env.PATH = `${join(home, 'bin')}:${PATH}`;
}

const fetched = (): Promise<{ folder: string; kafkaVersion: string }> =>
  fetchJars(() => {}, { pomFile: join(home, 'pom.xml'), dir: join(home, 'jars') });

test('a second fetch gives the first one, without Maven', async () => {
  installMaven(0);
  const first = await fetched();
  assert.equal(first.kafkaVersion, '4.9.9');
  assert.deepEqual(readdirSync(first.folder), ['kafka.jar']);
  process.env.PATH = '/nowhere';
  assert.deepEqual(await fetched(), first);
});

test('a fetch that fails leaves nothing, and the next one begins again', async (t) => {
  t.mock.method(process.stderr, 'write', () => true);
  installMaven(1);
  await assert.rejects(fetched(), { exitCode: 1, message: /^Maven could not fetch Apache Kafka 4\.9\.9/ });
  assert.deepEqual(readdirSync(join(home, 'jars')), []);
  installMaven(0);
  await fetched();
});

test('what a killed fetch left is removed by the next one', async () => {
  // No process has a pid beyond the kernel's limit.
  mkdirSync(join(home, 'jars/part-99999999-abc'), { recursive: true });
  installMaven(0);
  await fetched();
  assert.equal(readdirSync(join(home, 'jars')).length, 1);
});

test('another pom.xml is another set of jars', async () => {
  installMaven(0);
  const { folder } = await fetched();
  writeFileSync(join(home, 'pom.xml'), '<kafka.version>5.0.0</kafka.version>');
  assert.notEqual((await fetched()).folder, folder);
});

test('a missing Maven is told with the remedy', async () => {
  process.env.PATH = '/nowhere';
  await assert.rejects(fetched(), {
    exitCode: 3,
    message: 'mvn is missing: install Maven, or run infra/deps.sh kafka',
  });
});

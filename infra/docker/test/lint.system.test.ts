import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { COMPOSE_FILE } from './compose.ts';
import { dockerfileOf } from './dockerfile.ts';
import { checkCompose, lintDockerfile } from './linters.ts';

const PARTS = ['agent', 'consumer'] as const;

/** `file` with one thing changed, elsewhere. */
function changed(t: TestContext, file: string, from: string, to: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'tcptrail-docker-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const text = readFileSync(file, 'utf8');
  assert.ok(text.includes(from), `${file} has no "${from}"`);
  const copy = join(folder, file.endsWith('.yml') ? 'docker-compose.yml' : 'Dockerfile');
  writeFileSync(copy, text.replace(from, to));
  return copy;
}

test('docker-compose.yml is what the Compose specification allows', async () => {
  const { passed, output } = await checkCompose(COMPOSE_FILE);
  assert.ok(passed, output);
});

test('a misspelt key in docker-compose.yml is found', async (t) => {
  const { passed, output } = await checkCompose(changed(t, COMPOSE_FILE, 'healthcheck:', 'healthchek:'));
  assert.equal(passed, false);
  assert.match(output, /healthchek/);
});

for (const part of PARTS) {
  test(`hadolint finds nothing in the ${part}'s Dockerfile, and nothing is hidden from it`, async () => {
    const { passed, output } = await lintDockerfile(dockerfileOf(part));
    assert.ok(passed, output);
    assert.doesNotMatch(readFileSync(dockerfileOf(part), 'utf8'), /hadolint/);
  });

  test(`an image without a version is found in the ${part}'s Dockerfile`, async (t) => {
    const broken = changed(t, dockerfileOf(part), 'node:24.21.0-bookworm-slim', 'node');
    const { passed, output } = await lintDockerfile(broken);
    assert.equal(passed, false);
    assert.match(output, /DL3006/);
  });
}

test('an instruction that is none is found', async (t) => {
  const { passed, output } = await lintDockerfile(
    changed(t, dockerfileOf('agent'), 'ENTRYPOINT', 'ENTRYPIONT'),
  );
  assert.equal(passed, false);
  assert.match(output, /ENTRYPIONT|unexpected/);
});

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { clusterOf } from '../src/join.ts';

test('a second broker reads the cluster and its controller in the folder of the first', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'local-kafka-join-'));
  t.after(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, 'log'));
  writeFileSync(join(folder, 'log/meta.properties'), '#\nnode.id=1\ncluster.id=abc-_1\nversion=1\n');
  writeFileSync(join(folder, 'server.properties'), 'controller.quorum.voters=1@127.0.0.1:4711\n');
  assert.deepEqual(clusterOf(folder), { id: 'abc-_1', controllerPort: 4711 });
});

test('a folder where none was started is named', () => {
  assert.throws(() => clusterOf('/nowhere'), {
    exitCode: 2,
    message: /^--join is \/nowhere, where no local Kafka runs/,
  });
});

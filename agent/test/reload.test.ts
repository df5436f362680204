import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { keysOf } from '@tcptrail/config/keys.ts';
import { loadFrom } from '@tcptrail/config/load.ts';
import { AGENT_CONFIG } from '../src/config.ts';
import { createReload, type Takers } from '../src/reload.ts';
import { tempFolder } from './support/temp-folder.ts';

const PRIVATE = 'privacy: {peers: drop}\nfilters: [{name: scrapes, ports: [9100]}]\n';

/** An agent whose file, its default one, holds `yaml` at the start. */
function reloading(t: TestContext, yaml: string) {
  const file = join(tempFolder(t), 'agent.yaml');
  writeFileSync(file, yaml);
  const { config, again } = loadFrom(AGENT_CONFIG, { part: 'agent', file, required: false, env: {} });
  const told: string[] = [];
  const live = keysOf(AGENT_CONFIG).filter(({ isLive }) => isLive);
  const takers: Takers = Object.fromEntries(
    live.map(({ name }) => [name.split('.')[0], () => void told.push(`taken: ${name}`)]),
  );
  const reload = createReload(config, {
    source: again,
    asked: () => true,
    takers,
    notices: {
      configTaken: (_, sentence) => told.push(sentence),
      configRefused: ({ code }) => told.push(code),
    },
  });
  return {
    file,
    hangUp(): readonly string[] {
      reload.turn();
      return told.splice(0);
    },
    inForce: () => [reload.config.privacy.peers, reload.config.filters.length],
  };
}

test('a file that is emptied or gone leaves privacy and filters in force', (t) => {
  const { file, hangUp, inForce } = reloading(t, PRIVATE);
  writeFileSync(file, '');
  assert.deepEqual([hangUp(), inForce()], [['CONFIG_EMPTIED'], ['drop', 1]]);
  rmSync(file);
  assert.deepEqual([hangUp(), inForce()], [['CONFIG_MISSING'], ['drop', 1]]);
  writeFileSync(file, PRIVATE);
  assert.deepEqual(hangUp(), ['configuration read again; nothing changed']);
});

test('a file that came to hold keys while the agent ran may not be emptied either', (t) => {
  const { file, hangUp, inForce } = reloading(t, '');
  assert.deepEqual(hangUp(), ['configuration read again; nothing changed']);
  writeFileSync(file, PRIVATE);
  assert.match(hangUp().at(-1) ?? '', /in force now: filters, privacy\.peers/);
  writeFileSync(file, '');
  assert.deepEqual([hangUp(), inForce()], [['CONFIG_EMPTIED'], ['drop', 1]]);
});

test('a file that is no YAML leaves all in force', (t) => {
  const { file, hangUp, inForce } = reloading(t, PRIVATE);
  writeFileSync(file, 'privacy: {peers: keep');
  assert.deepEqual([hangUp(), inForce()], [['CONFIG_SYNTAX'], ['drop', 1]]);
});

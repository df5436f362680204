import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { changesOf, sentenceOf } from '../src/changes.ts';
import { keysOf } from '../src/keys.ts';
import { loadConfig } from '../src/load.ts';

const SCHEMA = z.strictObject({
  unmarked: z.int().default(1),
  fixed: z
    .strictObject({
      size: z.int().default(1),
      label: z.string().meta({ live: true }).default(''),
    })
    .meta({ live: false })
    .prefault({}),
  live: z
    .strictObject({
      list: z.array(z.string()).default(['a']),
      deep: z.strictObject({ flushMs: z.int().default(1) }).prefault({}),
      port: z.int().meta({ live: false }).default(1),
    })
    .meta({ live: true })
    .prefault({}),
});
const DEFAULTS = loadConfig(SCHEMA, { part: 'no-such-part', env: {} });

test('a key is live by its own mark, else by that of the nearest section', () => {
  assert.deepEqual(
    keysOf(SCHEMA).map(({ name, isLive }) => [name, isLive]),
    [
      ['unmarked', undefined],
      ['fixed.size', false],
      ['fixed.label', true],
      ['live.list', true],
      ['live.deep.flushMs', true],
      ['live.port', false],
    ],
  );
});

test('live keys take their new value, the others keep the old one and are named', () => {
  const after = {
    unmarked: 2,
    fixed: { size: 2, label: 'new' },
    live: { list: ['a', 'b'], deep: { flushMs: 2 }, port: 2 },
  };
  assert.deepEqual(changesOf(SCHEMA, DEFAULTS, after), {
    config: {
      unmarked: 1,
      fixed: { size: 1, label: 'new' },
      live: { list: ['a', 'b'], deep: { flushMs: 2 }, port: 1 },
    },
    taken: ['fixed.label', 'live.list', 'live.deep.flushMs'],
    waiting: ['unmarked', 'fixed.size', 'live.port'],
  });
  assert.equal(DEFAULTS.live.deep.flushMs, 1);
});

test('a configuration that says the same changes nothing', () => {
  const same = loadConfig(SCHEMA, { part: 'no-such-part', env: {} });
  const changes = changesOf(SCHEMA, DEFAULTS, same);
  assert.deepEqual(changes, { config: DEFAULTS, taken: [], waiting: [] });
  assert.equal(sentenceOf(changes), 'configuration read again; nothing changed');
});

test('the log says what is in force and what waits', () => {
  assert.equal(
    sentenceOf({ taken: ['a', 'b'], waiting: ['c'] }),
    'configuration read again; in force now: a, b; takes effect at the next start: c',
  );
});

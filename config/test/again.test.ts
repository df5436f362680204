import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { loadFrom } from '../src/load.ts';
import { fileWith, refusal, SAMPLE } from './support/sample.ts';

/** The part's own file, which need not be there at the start. */
const first = (file: string) => loadFrom(SAMPLE, { part: 'sample', file, required: false, env: {} });

test('a file that held keys must still hold some the next time', (t) => {
  const file = fileWith(t, 'name: a\n');
  const { again } = first(file);
  for (const empty of ['', '\n', '# name: a\n', '{}']) {
    writeFileSync(file, empty);
    const error = refusal(() => loadFrom(SAMPLE, again));
    assert.equal(error.code, 'CONFIG_EMPTIED');
    assert.equal(
      error.message,
      `${file} held keys and holds none now; write them again, or start anew where the defaults are meant`,
    );
  }
  writeFileSync(file, 'name: b\n');
  assert.equal(loadFrom(SAMPLE, again).config.name, 'b');
});

test('a file that was there, with keys or without, must still be there the next time', (t) => {
  for (const yaml of ['name: a\n', '']) {
    const file = fileWith(t, yaml);
    const { again } = first(file);
    rmSync(file);
    assert.equal(refusal(() => loadFrom(SAMPLE, again)).code, 'CONFIG_MISSING');
  }
});

test('a file that was not there, or empty, may stay so; once it holds keys it must', (t) => {
  const file = fileWith(t, '');
  rmSync(file);
  let { again } = first(file);
  ({ again } = loadFrom(SAMPLE, again));
  writeFileSync(file, '');
  ({ again } = loadFrom(SAMPLE, again));
  ({ again } = loadFrom(SAMPLE, again));
  writeFileSync(file, 'name: a\n');
  ({ again } = loadFrom(SAMPLE, again));
  writeFileSync(file, '');
  assert.equal(refusal(() => loadFrom(SAMPLE, again)).code, 'CONFIG_EMPTIED');
});

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { classData } from '../src/class-data.ts';

let home = '';
let jars = '';

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'local-kafka-classes-'));
  jars = join(home, 'jars');
  mkdirSync(jars);
});

afterEach(() => rmSync(home, { recursive: true, force: true }));

/** The first start, whose java wrote a file and ended so. */
function firstStart(ended: { code: number | null; signal: NodeJS.Signals | null }): void {
  const classes = classData(jars, '17.0.1');
  assert.deepEqual(classes.use, []);
  const part = /^-XX:ArchiveClassesAtExit=(.*)$/.exec(classes.make[0] ?? '')?.[1];
  assert.ok(part);
  writeFileSync(part, '');
  classes.keep(ended);
}

test('what the first java leaves is used by the next, and not made again', () => {
  firstStart({ code: 143, signal: null });
  const { use, make } = classData(jars, '17.0.1');
  assert.equal(use[0], `-XX:SharedArchiveFile=${jars}-java-17.0.1.jsa`);
  assert.deepEqual(make, []);
});

test('what a killed java wrote is thrown away', () => {
  firstStart({ code: null, signal: 'SIGKILL' });
  assert.deepEqual(readdirSync(home), ['jars']);
});

test('another java makes its own', () => {
  firstStart({ code: 143, signal: null });
  assert.notEqual(classData(jars, '21.0.1').make.length, 0);
});

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { readYamlFile } from '../src/yaml-file.ts';
import { fileWith, refusal } from './support/sample.ts';

const read = (t: TestContext, yaml: string) =>
  readYamlFile(fileWith(t, yaml), { must: 'exist', firstKey: 'name' });

/** A password that lacks its quotes, or stands in a line that is wrong: where, and what is said of it. */
const WRONG: readonly (readonly [yaml: string, line: number, column: number, problem: string])[] = [
  ['a: 1\npassword: "hunter2\nb: c', 3, 5, 'a quote, a bracket, a colon or a comma is missing'],
  ['password: a: hunter2', 1, 11, 'a second key, or ": " within a text, which needs quotes'],
  ['password: @hunter2', 1, 11, 'a text that begins with @, ` or % needs quotes'],
  ['password: `hunter2', 1, 11, 'a text that begins with @, ` or % needs quotes'],
  ['password: %hunter2', 1, 11, 'a text that begins with @, ` or % needs quotes'],
  ['password: !hunter2', 1, 19, 'a text that begins with ! needs quotes'],
  ['password: !hunter2 more', 1, 20, 'a text that begins with ! needs quotes'],
  ['password: !!int hunter2', 1, 17, 'a text that begins with ! needs quotes'],
  ['password: !!str hunter2', 1, 17, 'a text that begins with ! needs quotes'],
  ['password: ! hunter2', 1, 13, 'a text that begins with ! needs quotes'],
  ['list: !hunter2 [1]', 1, 16, 'a text that begins with ! needs quotes'],
  ['password: &hunter2', 1, 19, 'a text that begins with & needs quotes'],
  ['password: &hun ter2', 1, 16, 'a text that begins with & needs quotes'],
  ['password: *hunter2', 1, 11, 'a text that begins with * needs quotes'],
  ['password: [hunter2', 1, 19, 'it is not indented as what it belongs to'],
  ['password: |hunter2\n x', 1, 12, 'this does not belong here; a text with such characters needs quotes'],
  ['password: "\\qhunter2"', 1, 12, 'within " a \\ is written twice, or the text stands within \''],
  ['a:\n\thunter2: x', 2, 1, 'a tab indents it; use blanks'],
  ['a:\n  - b\n c: hunter2', 3, 1, 'it is not indented as what it belongs to'],
  ['{a: 1} hunter2', 1, 8, 'this does not belong here; a text with such characters needs quotes'],
  ['a: 1\nhunter2\nb: 2', 2, 1, 'no colon ends this key'],
  ['hunter2: 1\nb: 2\nhunter2: 3', 3, 1, 'this key stands twice'],
  ['a: 1\n---\nb: hunter2', 2, 1, 'a second document begins'],
  ['%HUNTER2 hunter2\n---\na: 1', 1, 1, 'a line that begins with % is not known here'],
  ['hunter2: &a [*a]', 1, 14, 'this alias lies within what it stands for'],
];

for (const [yaml, line, column, problem] of WRONG)
  test(`refused without what stands there: ${JSON.stringify(yaml)}`, (t) => {
    const error = refusal(() => read(t, yaml));
    assert.equal(error.code, 'CONFIG_SYNTAX');
    const [, said] = / is not valid YAML at (.*); mend that line$/.exec(error.message) ?? [error.message];
    assert.equal(said, `line ${line}, column ${column}: ${problem}`);
    assert.doesNotMatch(`${error.stack} ${String(error.cause)}`, /hunter2|ter2/i);
  });

test('aliases that would fill memory are refused', (t) => {
  const levels = 'abcdefgh'.split('').map((name, index, all) => {
    const above = all[index - 1];
    return `${name}: &${name} [${above ? Array(10).fill(`*${above}`).join(', ') : '1'}]`;
  });
  assert.match(
    refusal(() => read(t, `${levels.join('\n')}\nz: *h`)).message,
    /line 1, column 1: it holds too many aliases/,
  );
});

test('an anchor that is used is read, and so is a quoted text of any kind', (t) => {
  assert.deepEqual(read(t, 'a: &x [1]\nb: *x\nc: "!d"\ne: \'*f\'\ng: "&h"'), {
    a: [1],
    b: [1],
    c: '!d',
    e: '*f',
    g: '&h',
  });
});

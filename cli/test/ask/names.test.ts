import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readQuestions } from '@tcptrail/schemas/questions.ts';
import { nearest, questionOf, withWords } from '../../src/ask/names.ts';

const QUESTIONS = readQuestions();
const NAMES = QUESTIONS.map(({ name }) => name);

test('a slip of the keys is found first, then names that share words', () => {
  assert.equal(nearest('top-talkesr', NAMES)[0], 'top-talkers');
  assert.ok(nearest('retransmits', NAMES).includes('retransmit-causes'));
  assert.deepEqual(nearest('xyzzy', NAMES), []);
});

test('an unknown question is one sentence with the nearest names', () => {
  assert.throws(
    () => questionOf('new-peer', QUESTIONS),
    /there is no question new-peer; did you mean new-peers.*see 'tcptrail ask --list'/,
  );
});

test('words are looked for in name, question and why', () => {
  assert.deepEqual(
    withWords(['Beacons'], QUESTIONS).map(({ name }) => name),
    ['beacons'],
  );
  assert.ok(withWords(['deploy'], QUESTIONS).some(({ name }) => name === 'alive-across'));
  assert.deepEqual(withWords(['deploy', 'xyzzy'], QUESTIONS), []);
});

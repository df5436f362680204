/**
 * Not among the tests of a commit: it takes the whole matrix to make the page anew, and a program or a scenario may
 * have another name before that.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { HOOKS } from '@tcptrail/agent/trace/hooks.ts';
import { surroundings } from '@tcptrail/agent/trace/surroundings.ts';
import { SCENARIOS } from '../truth/scenarios.ts';
import { goneFrom, namesOn } from './page-names.ts';

const PAGE = readFileSync(join(import.meta.dirname, '../../docs/kernels.md'), 'utf8');

test('docs/kernels.md has both of its tables', () => {
  const { programs, scenarios } = namesOn(PAGE);
  assert.ok(programs.length > 0 && scenarios.length > 0);
});

test('every program and scenario on docs/kernels.md is there', () => {
  const programs = [
    ...HOOKS.flatMap(({ variants }) => variants.map(({ program }) => program)),
    ...surroundings().map(({ name }) => name),
  ];
  const gone = goneFrom(PAGE, { programs, scenarios: SCENARIOS.map(({ name }) => name) });
  assert.equal(gone, '', gone);
});

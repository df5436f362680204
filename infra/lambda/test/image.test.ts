import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { copies, dockerfileOf, instructions, isSent } from '../../docker/test/dockerfile.ts';

const DOCKERFILE = join(import.meta.dirname, '../Dockerfile');

test("the function's image copies what the consumer's does, and the handler's folder; all of it is sent", () => {
  const sources = copies(DOCKERFILE).flatMap((copy) => copy.sources);
  const consumer = copies(dockerfileOf('consumer')).flatMap((copy) => copy.sources);
  assert.deepEqual(sources, [...consumer, 'infra/lambda']);
  for (const source of sources) assert.ok(isSent(source), `.dockerignore keeps ${source} out`);
});

test('what the image names as the handler is one', async () => {
  const named = instructions(DOCKERFILE).find(({ name }) => name === 'CMD')?.text ?? '';
  const [file = '', name = ''] = (JSON.parse(named)[0] as string).split(/\.(?=[^.]*$)/);
  const module = await import(join(import.meta.dirname, '../../..', `${file}.mjs`));
  assert.equal(typeof module[name], 'function');
});

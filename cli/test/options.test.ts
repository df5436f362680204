import assert from 'node:assert/strict';
import { test } from 'node:test';
import { age } from '../src/options.ts';

test('an age is minutes, hours or days, in ms', () => {
  assert.deepEqual(['90m', '12h', '3d'].map(age), [5_400_000, 43_200_000, 259_200_000]);
  for (const wrong of ['', '5', '0d', '1w', '-1h', '1.5h'])
    assert.throws(() => age(wrong), /give an age such as 90m, 12h or 3d/, wrong);
});

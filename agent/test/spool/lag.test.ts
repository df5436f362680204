import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLag } from '../../src/spool/lag.ts';

test('the lag is the age of the oldest batch beyond the reader', () => {
  const lag = createLag();
  lag.spooled({ at: { segment: 'a', position: 10 }, ts: 100 });
  lag.spooled({ at: { segment: 'a', position: 20 }, ts: 200 });
  lag.spooled({ at: { segment: 'b', position: 5 }, ts: 300 });
  assert.equal(lag.us({ segment: '', position: 0 }, 1_000), 900);
  assert.equal(lag.us({ segment: 'a', position: 10 }, 1_000), 800);
  assert.equal(lag.us({ segment: 'b', position: 0 }, 1_000), 700);
  assert.equal(lag.us({ segment: 'b', position: 5 }, 1_000), 0);
});

test('what is remembered is bounded and keeps the oldest', () => {
  const lag = createLag();
  for (let ts = 0; ts < 100_000; ts++) lag.spooled({ at: { segment: 'a', position: ts + 1 }, ts });
  assert.equal(lag.us({ segment: '', position: 0 }, 100_000), 100_000);
});

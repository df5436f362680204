import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hzOfConfig, hzOfTimerList } from '../../src/trace/jiffies.ts';

test('the tick rate stands in the kernel configuration', () => {
  assert.equal(
    hzOfConfig('CONFIG_NO_HZ=y\n# CONFIG_HZ_100 is not set\nCONFIG_HZ_250=y\nCONFIG_HZ=250\n'),
    250,
  );
  assert.equal(hzOfConfig(''), 0);
});

test('the tick rate follows from the tick counter and the time since boot', () => {
  const list = (hz: number, seconds: number) =>
    `Timer List Version: v0.10\nnow at ${seconds * 1e9} nsecs\n\ncpu: 0\njiffies: ${2 ** 32 + (seconds - 300) * hz}\n`;
  for (const hz of [100, 250, 300, 1000]) {
    assert.equal(hzOfTimerList(list(hz, 20)), hz);
    assert.equal(hzOfTimerList(list(hz, 900_000)), hz);
  }
  assert.equal(hzOfTimerList(list(7, 900)), 0);
  assert.equal(hzOfTimerList(''), 0);
});

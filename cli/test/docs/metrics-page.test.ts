import assert from 'node:assert/strict';
import { test } from 'node:test';
import { METRICS_PARTS } from '../../src/docs/metrics-page.ts';

test('names end in their unit, times and sizes in the base units of Prometheus, and only counters in _total', () => {
  for (const { name: part, rows } of METRICS_PARTS) {
    assert.ok(rows.length > 10, part);
    assert.equal(new Set(rows.map(({ name }) => name)).size, rows.length);
    for (const { name, type, unit, help } of rows) {
      assert.match(name, new RegExp(`^tcptrail_${part}_[a-z_]+$`));
      assert.equal(name.endsWith('_total'), type === 'counter', name);
      assert.doesNotMatch(name, /(milli|micro|nano)seconds|_(ms|us|ns|kb|mb|count)(_total)?$/, name);
      if (unit === '') assert.equal(type, 'gauge', name);
      else assert.match(name, new RegExp(`_${unit}(_total)?$`));
      assert.match(help, /^\S.*\.$/, name);
    }
  }
});

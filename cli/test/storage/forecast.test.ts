import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forecastOf } from '../../src/storage/forecast.ts';
import { keptDaysOf } from '../../src/storage/sizes.ts';
import { measuredOf } from '../../src/storage/storage.ts';

test('a forecast is rows by day and host, times bytes, times days, times hosts', () => {
  const rate = { table: 't', rowsPerHostDay: 1_000, bytesPerRow: 30, keptDays: 7 };
  assert.deepEqual(forecastOf(rate, 50), {
    ...rate,
    bytesPerHost: 210_000,
    bytes: 10_500_000,
    bytesPerHostYear: 10_950_000,
  });
});

test('what is kept for ever has no size for a number of hosts, but one for a year', () => {
  const forecast = forecastOf({ table: 't', rowsPerHostDay: 2, bytesPerRow: 5, keptDays: undefined }, 9);
  assert.deepEqual(
    [forecast.bytesPerHost, forecast.bytes, forecast.bytesPerHostYear],
    [undefined, undefined, 3_650],
  );
});

test('days are read from the TTL that deletes', () => {
  const cases: [string, number | undefined][] = [
    ['MergeTree PARTITION BY day ORDER BY a TTL day + toIntervalDay(7) SETTINGS x = 1', 7],
    ['MergeTree ORDER BY a TTL day + toIntervalMonth(12)', 365.25],
    ["MergeTree ORDER BY a TTL day + toIntervalDay(7) TO VOLUME 'cold', day + toIntervalDay(30)", 30],
    ['MergeTree ORDER BY a SETTINGS index_granularity = 8192', undefined],
  ];
  for (const [engine, days] of cases) assert.equal(keptDaysOf(engine), days, engine);
});

test('a column is that of wide parts and of the sample, by the rows that each stands for', () => {
  const size = {
    table: 't',
    rows: 400,
    parts: 2,
    compactRows: 100,
    bytes: 4_000,
    rawBytes: 0,
    indexBytes: 400,
    projectionBytes: 0,
    sortingKey: 'a',
    keptDays: 7,
  };
  const column = (bytes: number) => [{ table: 't', column: 'a', bytes, rawBytes: 10 * bytes }];
  // 300 rows at 2 bytes, 100 at 6.
  const measured = measuredOf(size, column(600), { rows: 10, columns: column(60) });
  assert.deepEqual(measured.columns, [{ table: 't', column: 'a', bytesPerRow: 3, rawBytesPerRow: 30 }]);
  assert.deepEqual([measured.bytesPerRow, measured.mergedBytesPerRow], [10, 4]);
  assert.equal(measuredOf(size, column(600), undefined).mergedBytesPerRow, undefined);
});

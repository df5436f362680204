import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tableText } from '../../src/ask/table-text.ts';
import { plain } from '../../src/terminal/style.ts';
import { widthOf } from '../../src/terminal/width.ts';

const COLUMNS = [
  { name: 'host_name', type: 'LowCardinality(String)' },
  { name: 'executable', type: 'LowCardinality(String)' },
  { name: 'service_port', type: 'UInt16' },
  { name: 'bytes_received', type: 'UInt64' },
];
const ROWS = [
  ['a-host-with-a-name-that-is-long.example.com', '/usr/bin/curl', '443', '4096'],
  ['b', '/usr/sbin/nginx', '80', '1024'],
];
const bars = { kind: 'bars', value: 'bytes_received' } as const;
const text = (
  lineWidth: number | undefined,
  chart: Parameters<typeof tableText>[0]['chart'] = bars,
): string => tableText({ columns: COLUMNS, rows: ROWS, chart, lineWidth, style: plain });

test('a bar is as long as its share of the largest, and every line fits', () => {
  for (const columns of [60, 80, 160]) {
    const lines = text(columns).trimEnd().split('\n');
    for (const line of lines) assert.ok(widthOf(line) <= columns, `${columns}: ${line}`);
    const [longest = 0, shorter = 0] = lines.slice(2).map((line) => line.replace(/[^█]/g, '').length);
    assert.ok(longest > 0);
    assert.equal(shorter, longest / 4, `${columns}`);
  }
});

test('values are told as people read them, where there is a terminal', () => {
  assert.match(text(160), /\ncurl|curl /);
  assert.match(text(160), /4\.00 KiB/);
  assert.match(text(undefined), /\/usr\/bin\/curl +443 +4096\n/);
  assert.doesNotMatch(text(undefined), /█/);
});

test('where the bars find no room the table stands without, and where that finds none each row is a record', () => {
  assert.doesNotMatch(text(40), /█/);
  assert.equal(
    text(20).split('\n\n')[1],
    'host_name       b\nexecutable      nginx\nservice_port    80\nbytes_received  1.00 KiB\n',
  );
});

test('a series is a line with its gaps, as long as its window, and tells its largest', () => {
  const columns = [
    { name: 'bin', type: "DateTime('UTC')" },
    { name: 'role', type: "Enum8('client' = 1)" },
    { name: 'bytes', type: 'UInt64' },
  ];
  const at = (hour: number): string => `2026-11-28 ${String(hour).padStart(2, '0')}:00:00`;
  const rows = [
    [at(0), 'client', '0'],
    [at(1), 'client', '2048'],
    [at(4), 'client', '1024'],
    [at(1), 'server', '8'],
  ];
  const chart = { kind: 'line', values: ['bytes'], over: 'bin', by: ['role'] } as const;
  const lines = (lineWidth: number): readonly string[] =>
    tableText({ columns, rows, chart, lineWidth, style: plain }).trimEnd().split('\n').slice(-2);
  assert.deepEqual(lines(80), ['client  ▁█  ▅  max 2.00 KiB', 'server   █     max 8 B']);
});

test('a line longer than the terminal keeps its peaks', () => {
  const columns = [
    { name: 'bin', type: "DateTime('UTC')" },
    { name: 'n', type: 'UInt64' },
  ];
  const rows = Array.from({ length: 600 }, (_, minute) => [
    new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString().slice(0, 19).replace('T', ' '),
    minute === 301 ? '100' : '1',
  ]);
  const chart = { kind: 'line', values: ['n'], over: 'bin', by: [] } as const;
  for (const lineWidth of [80, 160]) {
    const line =
      tableText({ columns, rows, chart, lineWidth, style: plain }).trimEnd().split('\n').at(-1) ?? '';
    assert.ok(widthOf(line) <= lineWidth, line);
    assert.equal(line.replace(/[^█]/g, ''), '█');
  }
});

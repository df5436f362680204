import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createZeekLog } from '../../src/import/zeek-log.ts';
import { HEADER, json, tsv } from './zeek-lines.ts';

function readAll(...lines: readonly string[]) {
  const log = createZeekLog();
  return lines.map((line) => log.read(line));
}

/** The problem of the last line, or the value of a field of it. */
function last(field: string, ...lines: readonly string[]): string | undefined {
  const line = readAll(...lines).at(-1);
  if (line?.kind === 'record') return line.record(field);
  return line?.kind === 'bad' ? `bad: ${line.problem}` : line?.kind;
}

test('a line of TSV is read by the names of its header, what is unset or empty as nothing', () => {
  assert.equal(last('id.resp_h', ...HEADER, tsv()), '203.0.113.16');
  assert.equal(last('service', ...HEADER, tsv({ service: '-' })), undefined);
  assert.equal(last('service', ...HEADER, tsv({ service: '(empty)' })), undefined);
  assert.equal(last('nothing', ...HEADER, tsv()), undefined);
});

test('another separator and order, as the header says, and a second header from there on', () => {
  const other = ['#separator \\x7c', '#unset_field|none', '#path|conn', '#fields|proto|ts'];
  assert.equal(last('ts', ...other, 'tcp|17.5'), '17.5');
  assert.equal(last('ts', ...other, 'tcp|none'), undefined);
  assert.equal(last('ts', ...HEADER, tsv(), ...other, 'tcp|18.5'), '18.5');
});

test('JSON lines need no header; numbers are as they stand', () => {
  assert.equal(last('ts', json()), '1713484795.943239');
  assert.equal(last('orig_bytes', json()), '1030');
  assert.equal(last('service', json({ service: '-' })), undefined);
});

test('what is no line of conn.log is told with the remedy', () => {
  const [first = ''] = tsv().split('\t');
  assert.match(
    last('ts', tsv()) ?? '',
    /^bad: it stands behind no #fields line.*give the log with its header/,
  );
  assert.match(last('ts', ...HEADER, first) ?? '', /^bad: it has 1 fields, and #fields names 21$/);
  assert.match(
    last('ts', ...HEADER.with(4, '#path\tdns'), tsv()) ?? '',
    /^bad: it is of Zeek's dns\.log; give a conn\.log$/,
  );
  assert.match(last('ts', '{"ts":1713484795.9432') ?? '', /^bad: it is no JSON object/);
});

test('headers, the end of a log and empty lines are no records', () => {
  for (const line of readAll(...HEADER, '#close\t2024-04-19-01-00-00', '', '  '))
    assert.equal(line.kind, 'header');
});

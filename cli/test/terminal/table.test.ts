import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Column, createTable } from '../../src/terminal/table.ts';

const columns: readonly Column[] = [
  { name: 'comm', type: 'LowCardinality(String)' },
  { name: 'peer_address', type: 'IPv6' },
  { name: 'connections', type: 'UInt64' },
];

test('text is aligned left, numbers right, IPv4-mapped addresses are short', () => {
  const table = createTable({ columns });
  table.push(['curl', '::ffff:10.0.0.1', '12']);
  table.push(['nginx-worker', '2001:db8::1', '1048576']);
  assert.equal(
    table.end(),
    `comm          peer_address  connections
────────────  ────────────  ───────────
curl          10.0.0.1               12
nginx-worker  2001:db8::1       1048576
`,
  );
});

test('an address inside text stays as it is stored', () => {
  const table = createTable({ columns: [{ name: 'note', type: 'String' }] });
  table.push(['::ffff:10.0.0.1']);
  assert.match(table.end(), /^::ffff:10\.0\.0\.1$/m);
});

test('NULL, backslashes and control characters of TabSeparated values are readable', () => {
  const table = createTable({
    columns: [
      { name: 'a', type: 'String' },
      { name: 'b', type: 'Nullable(String)' },
    ],
  });
  table.push(["C:\\\\dir \\'q\\' tab\\there", '\\N']);
  assert.match(table.end(), /^C:\\dir 'q' tab\\there {2}NULL$/m);
});

test('without rows there is the head alone', () => {
  const table = createTable({ columns: [{ name: 'a', type: 'UInt8' }] });
  assert.equal(table.end(), 'a\n─\n');
});

test('on a narrow terminal the widest text is cut and numbers stay whole', () => {
  const table = createTable({ columns, lineWidth: 40 });
  table.push(['a-very-long-process-name', '2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff', '123456']);
  const lines = table.end().trimEnd().split('\n');
  for (const line of lines) assert.ok(line.length <= 40, line);
  assert.ok(lines[2]?.endsWith('123456'));
  assert.ok(lines[2]?.includes('…'));
});

test('rows after the sample are written at once, and wider ones keep their row whole', () => {
  const table = createTable({
    columns: [
      { name: 'a', type: 'String' },
      { name: 'n', type: 'UInt8' },
    ],
    sampleRows: 2,
  });
  assert.equal(table.push(['x', '1']), '');
  assert.equal(table.push(['y', '2']), 'a  n\n─  ─\nx  1\ny  2\n');
  assert.equal(table.push(['longer', '3']), 'longer  3\n');
  assert.equal(table.end(), '');
});

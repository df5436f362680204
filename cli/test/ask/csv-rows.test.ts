import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { csvRows } from '../../src/ask/csv-rows.ts';

test('a line feed within quotes ends no row', async () => {
  const lines = ['"name",1', '"a ""quoted""', '', 'name",2', 'last,3'];
  const rows: string[] = [];
  for await (const row of csvRows(Readable.from(lines))) rows.push(row);
  assert.deepEqual(rows, ['"name",1', '"a ""quoted""\n\nname",2', 'last,3']);
});

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { hashOf, linesOfFile } from '../../src/import/log-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'tcptrail-log-'));
after(() => rmSync(folder, { recursive: true }));

let files = 0;
function file(content: string | Uint8Array): string {
  const path = join(folder, `${++files}.log`);
  writeFileSync(path, content);
  return path;
}

async function linesOf(path: string): Promise<readonly string[]> {
  const lines: string[] = [];
  for await (const line of linesOfFile(path)) lines.push(line);
  return lines;
}

test('lines are the same in chunks of any size, packed or not, with either end of line', async () => {
  const lines = Array.from({ length: 20_000 }, (_, index) => `${index} ${'ü'.repeat(index % 60)}`);
  for (const end of ['\n', '\r\n']) {
    const text = lines.join(end);
    assert.deepEqual(await linesOf(file(text)), lines);
    assert.deepEqual(await linesOf(file(text + end)), lines);
    assert.deepEqual(await linesOf(file(gzipSync(text))), lines);
    // Packed in two pieces, as by `cat a.gz b.gz`.
    const packed = Buffer.concat([gzipSync(text.slice(0, 5_000)), gzipSync(text.slice(5_000))]);
    assert.deepEqual(await linesOf(file(packed)), lines);
  }
  assert.deepEqual(await linesOf(file('')), []);
});

test('the hash is of the content, packed or not', async () => {
  const plain = await hashOf(file('a\nb\n'));
  assert.match(plain, /^[0-9a-f]{64}$/);
  assert.equal(await hashOf(file(gzipSync('a\nb\n'))), plain);
  assert.notEqual(await hashOf(file('a\nc\n')), plain);
});

test('a line without an end does not grow beyond what is kept of one', async () => {
  const [long = '', ...more] = await linesOf(file(Buffer.alloc(8 * 1024 * 1024, 'x')));
  assert.ok(long.length <= 1.5 * 1024 * 1024);
  assert.deepEqual(more, []);
  assert.deepEqual((await linesOf(file(`${'x'.repeat(3_000_000)}\nnext`))).at(-1), 'next');
});

test('a file that cannot be read, or is packed and cut off, is an error that names it', async () => {
  for (const path of [join(folder, 'nowhere'), folder, file(gzipSync('a'.repeat(100_000)).subarray(0, -20))])
    await assert.rejects(hashOf(path), { code: 'CLI_FILE_UNREADABLE', message: new RegExp(path) });
});

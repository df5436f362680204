import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { answerLines, parquetChunks } from '../../src/clickhouse/answer.ts';

async function lines(...chunks: readonly (string | Uint8Array)[]): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const line of answerLines(Readable.from(chunks), 'http://127.0.0.1')) found.push(line);
  return found;
}

test('lines come whole whatever the chunks, also where one cuts a character', async () => {
  const bytes = new TextEncoder().encode('a→b\nc\n');
  assert.deepEqual(await lines(bytes.subarray(0, 2), bytes.subarray(2)), ['a→b', 'c']);
  assert.deepEqual(await lines('a', 'b\n', 'c'), ['ab', 'c']);
});

test('in latin1 every byte comes out as it came, and an error behind the rows is still told', async () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => byte !== 10);
  const found: string[] = [];
  for await (const line of answerLines(
    Readable.from([bytes.subarray(0, 200), bytes.subarray(200)]),
    '',
    'latin1',
  ))
    found.push(line);
  assert.deepEqual(
    found.map((line) => Uint8Array.from(Buffer.from(line, 'latin1'))),
    [bytes],
  );
  const error = new TextEncoder().encode('1\nCode: 395. DB::Exception: bóom. (X) (version 24.8.1.1)\n');
  const failed = answerLines(Readable.from([error]), 'http://127.0.0.1', 'latin1');
  assert.equal((await failed.next()).value, '1');
  await assert.rejects(failed.next(), /bóom \(ClickHouse code 395\)/);
});

test('an empty line in the middle is a row, an empty body none', async () => {
  assert.deepEqual(await lines('\na\n'), ['', 'a']);
  assert.deepEqual(await lines(), []);
});

test('an error after rows, marked as ClickHouse 25.11 does, is thrown', async () => {
  await assert.rejects(
    lines(
      '1\n2\n',
      '__exception__\r\ntagtagtagtagtagt\r\nCode: 395. DB::Exception: boom. (FUNCTION_THROW_IF_VALUE_IS_NON_ZERO) (version 26.7.2.1)\n120 tagtagtagtagtagt\r\n__exception__\r\n',
    ),
    /boom.*ClickHouse code 395/,
  );
});

test('an unmarked error at the end is thrown, the same words as data in the middle are data', async () => {
  const error = 'Code: 395. DB::Exception: boom. (X) (version 24.8.1.1)';
  await assert.rejects(lines(`1\n${error}\n`), /boom \(ClickHouse code 395\)/);
  assert.deepEqual(await lines(`${error}\n1\n`), [error, '1']);
});

test('a Parquet file comes as it is, and what ends otherwise is an error', async () => {
  const read = async (...chunks: readonly string[]): Promise<string> => {
    let text = '';
    const bytes = chunks.map((chunk) => new TextEncoder().encode(chunk));
    for await (const chunk of parquetChunks(Readable.from(bytes), 'http://127.0.0.1'))
      text += Buffer.from(chunk).toString();
    return text;
  };
  assert.equal(await read('PAR1 rows PA', 'R1'), 'PAR1 rows PAR1');
  const error = 'Code: 395. DB::Exception: boom. (X) (version 26.7.2.1)';
  await assert.rejects(read('PAR1 ro', `ws${error}\n`), /boom \(ClickHouse code 395\)/);
  await assert.rejects(
    read(`PAR1 rows\r\n__exception__\r\ntag\r\n${error}\n54 tag\r\n__exception__\r\n`),
    /boom.*ClickHouse code 395/,
  );
  await assert.rejects(read('PAR1 ro'), /the answer is not whole/);
});

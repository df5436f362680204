import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClickHouseError } from '@clickhouse/client';
import { oneSentence, sentence } from '../../src/clickhouse/sentence.ts';

const at = { url: 'http://127.0.0.1:8123', user: 'reader', database: 'tcptrail' };
const clickhouse = (code: string, message: string): ClickHouseError => new ClickHouseError({ code, message });

test("ClickHouse's frame, version and line feeds go, its words stay", () => {
  assert.equal(
    oneSentence(
      'Code: 62. DB::Exception: Syntax error: failed at position 1 (selec)\n. (SYNTAX_ERROR) (version 26.7.2.1)',
    ),
    'Syntax error: failed at position 1 (selec)',
  );
});

test('a very long message is cut', () => {
  assert.equal(oneSentence('x'.repeat(10_000)).length, 601);
});

const cases: readonly (readonly [string, unknown, string])[] = [
  ['a refused password', clickhouse('516', 'reader: Authentication failed'), 'CLI_CLICKHOUSE_DENIED'],
  ['a write by a reader', clickhouse('164', 'Cannot execute query in readonly mode'), 'CLI_READ_ONLY'],
  ['a missing database', clickhouse('81', 'Database tcptrail does not exist'), 'CLI_NO_TABLES'],
  ['any other error', clickhouse('47', 'Unknown identifier'), 'CLI_QUERY_FAILED'],
  ['a closed port', Object.assign(new Error('x'), { code: 'ECONNREFUSED' }), 'CLI_CLICKHOUSE_UNREACHABLE'],
  ['a time-out', new Error('Timeout error.'), 'CLI_CLICKHOUSE_UNREACHABLE'],
  ['a page of another server', new Error('<html>\nnot found'), 'CLI_NO_CLICKHOUSE'],
];
for (const [name, error, code] of cases) {
  test(`${name} is one sentence, exit code 1`, () => {
    const told = sentence(error, at);
    assert.equal(told.code, code);
    assert.equal(told.exitCode, 1);
    assert.doesNotMatch(told.message, /\n/);
  });
}

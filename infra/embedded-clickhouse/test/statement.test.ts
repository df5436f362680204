import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseStatement } from '../src/statement.ts';

const kindOf = (sql: string): string => parseStatement(sql).kind;
const dataOf = (sql: string): string => sql.slice(parseStatement(sql).dataStart);

test('comments, case and parentheses do not hide what a statement is', () => {
  assert.equal(kindOf('-- a\n/* INSERT */ select 1'), 'read');
  assert.equal(kindOf('(SELECT 1) UNION ALL (SELECT 2)'), 'read');
  assert.equal(kindOf('with 1 as x select x'), 'read');
  assert.equal(kindOf('with x as (select 1) insert into t select * from x'), 'other');
  assert.equal(kindOf('/* x */ insert into t format CSV\n1'), 'insert_data');
  assert.equal(kindOf('create table t (a UInt8) engine Memory'), 'other');
  assert.equal(kindOf('kill query where 1'), 'kill');
  assert.equal(kindOf('use x'), 'session');
});

test('rows begin after the format name and one line break, whatever bytes they are', () => {
  assert.equal(dataOf('INSERT INTO t FORMAT Native\n\x02\x00;\xff'), '\x02\x00;\xff');
  assert.equal(dataOf('INSERT INTO t FORMAT RowBinary\n\n '), '\n ');
  assert.equal(
    dataOf('insert into `a FORMAT b`.`values` (x, y) settings a=\'FORMAT CSV\' format JSONEachRow {"x":1}'),
    '{"x":1}',
  );
  assert.equal(dataOf("insert into function file('a.csv', 'CSV') format TSV\n1\t2"), '1\t2');
  assert.equal(dataOf('insert into db.format (a) values (1)'), ' (1)');
});

test('an INSERT from a SELECT has no rows after it', () => {
  assert.equal(kindOf("insert into t select 'FORMAT CSV' from x"), 'other');
  assert.equal(kindOf('insert into `t` (a) (select 1)'), 'other');
  assert.equal(kindOf('insert into t (a) with 1 as y select y'), 'other');
});

test('FORMAT counts only as the closing clause', () => {
  assert.equal(parseStatement("select 'FORMAT CSV'").format, undefined);
  assert.equal(parseStatement('select format from t').format, undefined);
  assert.equal(parseStatement('select 1 /* FORMAT CSV */ format JSON -- x').format, 'JSON');
  assert.equal(parseStatement('select 1 format JSON settings max_threads=1;').format, 'JSON');
});

test('a second statement is seen, a semicolon in a string or at the end is not one', () => {
  assert.equal(parseStatement('select 1; select 2').several, true);
  assert.equal(parseStatement("insert into t values (1, 'a;b'); drop table t").several, true);
  assert.equal(parseStatement("select 'a;b', `c;d`, $x$;$x$; -- end").several, false);
  assert.equal(parseStatement('insert into t format CSV 1;2').several, false);
});

test('files of the client are seen', () => {
  assert.equal(parseStatement("select 1 into outfile '/tmp/x'").usesClientFile, true);
  assert.equal(parseStatement("insert into t from infile 'x' format CSV").usesClientFile, true);
  assert.equal(parseStatement("select 'into outfile'").usesClientFile, false);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { COMMON_PARAMETERS, parseQuestion } from '../src/question.ts';
import { binOf } from '../src/question-bin.ts';
import { readQuestions } from '../src/questions.ts';

const HEAD = [
  '-- question: Who?',
  '-- why: Because.',
  '-- since: 24h',
  '-- limit: 50',
  '-- param: address IPv6: The address, IPv4 or IPv6.',
  '-- param: ports Array(UInt16) = 22,80: Ports.',
  '-- chart: line bytes, connections over bin by host_name, role',
];
const SQL = `SELECT ${[...COMMON_PARAMETERS.map(({ name, type }) => `{${name}:${type}}`), '{address:IPv6}', '{ports:Array(UInt16)}'].join(', ')}`;
const text = (head: readonly string[] = HEAD, sql = SQL): string => `${[...head, sql].join('\n')}\n`;
const without = (key: string): string[] => HEAD.filter((line) => !line.startsWith(`-- ${key}:`));
const changed = (key: string, line: string): string[] =>
  HEAD.map((each) => (each.startsWith(`-- ${key}:`) ? line : each));

test('a question is its head and its SELECT', () => {
  assert.deepEqual(parseQuestion('who', text()), {
    name: 'who',
    question: 'Who?',
    why: 'Because.',
    since: '24h',
    limit: 50,
    parameters: [
      { name: 'address', type: 'IPv6', defaultText: undefined, meaning: 'The address, IPv4 or IPv6.' },
      { name: 'ports', type: 'Array(UInt16)', defaultText: '22,80', meaning: 'Ports.' },
    ],
    chart: { kind: 'line', values: ['bytes', 'connections'], over: 'bin', by: ['host_name', 'role'] },
    bin: undefined,
    sql: SQL,
  });
});

test('what breaks the grammar is refused by name, with the remedy', () => {
  const refused: readonly (readonly [string, RegExp])[] = [
    [
      text([...HEAD, '-- colour: red']),
      /question who: unknown key in '-- colour: red'; known are question, why/,
    ],
    [text([...HEAD.slice(0, 1), ...HEAD]), /question is not in its place/],
    [
      text([...HEAD.slice(1, 2), HEAD[0] ?? '', ...HEAD.slice(2)]),
      /question is not in its place; the order is/,
    ],
    ...['question', 'why', 'since', 'limit', 'chart'].map(
      (key) => [text(without(key)), new RegExp(`no ${key}; add the line '-- ${key}: …'`)] as const,
    ),
    [text(changed('question', '-- question: Who')), /question is 'Who'; give a sentence that ends in \?/],
    [text(changed('since', '-- since: soon')), /since is 'soon'; give an age such as 24h/],
    [text(changed('limit', '-- limit: 0')), /limit is '0'/],
    [text(changed('chart', '-- chart: pie bytes')), /chart is 'pie bytes'; give none, bars COLUMN/],
    [
      text([...HEAD.slice(0, 4), '-- param: x UInt8', ...HEAD.slice(6)]),
      /param is 'x UInt8'; give NAME TYPE/,
    ],
    [
      text([...HEAD.slice(0, 4), '-- param: own Bool: Own.', ...HEAD.slice(6)]),
      /param own is one that every/,
    ],
    [
      text(HEAD, `${SQL}, {port:UInt16}`),
      /\{port:UInt16\} is not declared so; add '-- param: port UInt16: …'/,
    ],
    [text(HEAD, SQL.replace('{address:IPv6}', '{address:String}')), /\{address:String\} is not declared so/],
    [text(HEAD, SQL.replace('{address:IPv6}', '1')), /address is not used in the SELECT/],
    [text(HEAD, SQL.replace(/\{limit:\w+\}/, '1')), /limit is not used in the SELECT/],
  ];
  for (const [broken, sentence] of refused) assert.throws(() => parseQuestion('who', broken), sentence);
});

test('every file of the library keeps the grammar, and reads no more than it names', () => {
  const questions = readQuestions();
  assert.ok(questions.length >= 40, `${questions.length} questions`);
  for (const { name, sql } of questions) {
    assert.match(name, /^[a-z][a-z-]+$/);
    assert.match(sql, /^(SELECT|WITH)\n/, name);
    assert.match(sql, /\nLIMIT \{limit:UInt32\}$/, name);
    assert.doesNotMatch(sql.replace(/--.*/g, ''), /SELECT \*|;/, name);
    assert.ok(Math.max(...sql.split('\n').map((line) => line.length)) <= 240, name);
  }
});

test('each question of tcp_events bounds the day and the time', () => {
  for (const { name, sql } of readQuestions()) {
    if (!sql.includes('tcp_events')) continue;
    assert.match(sql, /\bday (BETWEEN|>=) /, name);
    assert.match(sql, /\bts >= /, name);
  }
});

test('each step says what one row of it is', () => {
  for (const { name, sql } of readQuestions()) {
    const lines = sql.split('\n');
    for (const [index, line] of lines.entries())
      if (/^ {4}\w+ AS$/.test(line))
        assert.match(lines[index - 1] ?? '', /^ {4}-- One row/, `${name}: ${line}`);
  }
});

test('a window is read in the bins of the view, unless times of rows are compared with it', () => {
  const since = "{since:DateTime64(6, 'UTC')}";
  const until = "{until:DateTime64(6, 'UTC')}";
  const tier = `SELECT 1\nFROM connections_5m AS tier\nWHERE bin >= toStartOfFiveMinutes(${since}) AND bin <`;
  const ofFiveMinutes = { view: 'connections_5m', length: 'five minutes', seconds: 300 };
  assert.deepEqual(binOf(`${tier} ${until}`), { ...ofFiveMinutes, isEndCut: false });
  assert.deepEqual(binOf(`${tier} toStartOfFiveMinutes(${until})`), { ...ofFiveMinutes, isEndCut: true });
  assert.equal(binOf(`${tier} ${until} AND first_ts >= ${since}`), undefined);
});

test('each question reads times of rows, or whole bins', () => {
  for (const { name, sql, bin } of readQuestions()) {
    const isByTime = /\b(ts|batch_ts|first_ts\)?) >= \{since:/.test(sql);
    assert.equal(bin === undefined, isByTime, name);
  }
});

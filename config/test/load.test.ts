import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { z } from 'zod';
import { type ConfigOf, loadConfig } from '../src/load.ts';
import { fileWith, folderOf, refusal, SAMPLE } from './support/sample.ts';

function load(
  t: TestContext,
  yaml: string,
  env: Readonly<Record<string, string>> = {},
): ConfigOf<typeof SAMPLE> {
  return loadConfig(SAMPLE, { part: 'sample', file: fileWith(t, yaml), env });
}

/** The sentence, the temporary file named FILE. */
function sentence(t: TestContext, yaml: string, env: Readonly<Record<string, string>> = {}): string {
  const file = fileWith(t, yaml);
  const error = refusal(() => loadConfig(SAMPLE, { part: 'sample', file, env }));
  return error.message.replaceAll(file, 'FILE');
}

test('an empty file, an empty section and a section of comments give the defaults', (t) => {
  for (const yaml of ['', '# nothing\n', 'batch:\n', 'batch:\n  # rowsMax: 5\nkafka:\n  sasl:\n']) {
    assert.equal(load(t, yaml).batch.rowsMax, 10);
  }
});

test('the environment stands over the file, and the file over the defaults', (t) => {
  const config = load(t, 'name: file\nbatch: {rowsMax: 5}\n', { TCPTRAIL_BATCH_ROWS_MAX: '7' });
  assert.deepEqual([config.name, config.batch.rowsMax, config.spool.path], ['file', 7, '/spool']);
});

test('a value of the environment stands over a wrong one of the file', (t) => {
  assert.equal(load(t, 'batch: {rowsMax: 0}', { TCPTRAIL_BATCH_ROWS_MAX: '7' }).batch.rowsMax, 7);
});

test('the file of the part need not exist, one that was named must', (t) => {
  const missing = join(folderOf(t), 'none.yaml');
  assert.equal(loadConfig(SAMPLE, { part: 'no-such-part', env: {} }).batch.rowsMax, 10);
  assert.equal(
    loadConfig(SAMPLE, { part: 'sample', file: missing, required: false, env: {} }).batch.rowsMax,
    10,
  );
  const error = refusal(() => loadConfig(SAMPLE, { part: 'sample', file: missing, env: {} }));
  assert.equal(error.code, 'CONFIG_MISSING');
  assert.equal(error.message, `no configuration at ${missing}; give --config an existing file`);
});

test('a file that cannot be read is refused with the reason', (t) => {
  const error = refusal(() => loadConfig(SAMPLE, { part: 'sample', file: folderOf(t), env: {} }));
  assert.equal(error.code, 'CONFIG_UNREADABLE');
  assert.match(error.message, /\(EISDIR\)/);
});

test('a file of something else than keys is refused', (t) => {
  for (const yaml of ['- a\n', 'hello\n', '3\n']) {
    assert.equal(sentence(t, yaml), 'FILE holds no keys; write them as "name:", one a line');
  }
});

test('an unknown key is refused by name, with what is known there and what was probably meant', (t) => {
  assert.equal(
    sentence(t, 'batch: {rowMax: 1}'),
    'unknown key batch.rowMax in FILE; did you mean batch.rowsMax? known here: rowsMax, ports',
  );
  assert.equal(
    sentence(t, 'nonsense: 1'),
    'unknown key nonsense in FILE; known here: name, url, isOn, share, mode, batch, spool, kafka',
  );
});

test('an unknown key is told before a wrong value', (t) => {
  assert.match(sentence(t, 'name: 1\nbatch: {rowMax: 1}'), /^unknown key batch\.rowMax/);
});

test('a wrong value of the file is refused with key, file, value and what to give', (t) => {
  const sentences: readonly (readonly [string, string])[] = [
    ['batch: {rowsMax: 101}', 'batch.rowsMax in FILE is 101; give a whole number from 1 to 100'],
    ['batch: {rowsMax: "5"}', 'batch.rowsMax in FILE is "5"; give a whole number from 1 to 100'],
    ['batch: {rowsMax: }', 'batch.rowsMax in FILE has no value; give a whole number from 1 to 100'],
    ['name: 123', 'name in FILE is 123; give a text of at most 8 characters, in quotes'],
    ['isOn: "yes"', 'isOn in FILE is "yes"; give true or false'],
    ['share: 2', 'share in FILE is 2; give a number from 0 to 1'],
    ['mode: fst', 'mode in FILE is "fst"; give one of slow, fast'],
    ['spool: {path: here}', 'spool.path in FILE is "here"; give an absolute path'],
    ['kafka: {brokers: [a]}', 'kafka.brokers.0 in FILE is "a"; it must be host:port'],
    ['kafka: {brokers: []}', 'kafka.brokers in FILE is []; give a list of at least 1, each a text'],
    ['kafka: {sasl: {password: 123}}', 'kafka.sasl.password in FILE is (set); give a text, in quotes'],
    ['spool: /here', 'spool in FILE holds no keys; give them below it: path'],
    [
      'url: ftp://me:hidden@host',
      'url in FILE is "ftp://(set)@host"; give a URL that begins with http:// or https://',
    ],
  ];
  for (const [yaml, expected] of sentences) assert.equal(sentence(t, yaml), expected);
});

test('a wrong value of the environment is refused under the name of its variable', (t) => {
  assert.equal(
    sentence(t, 'batch: {rowsMax: 5}', { TCPTRAIL_BATCH_ROWS_MAX: 'many' }),
    'TCPTRAIL_BATCH_ROWS_MAX is "many"; give a whole number from 1 to 100',
  );
  assert.equal(
    sentence(t, '', { TCPTRAIL_KAFKA_BROKERS: 'a:1,b' }),
    'TCPTRAIL_KAFKA_BROKERS is "b"; it must be host:port',
  );
});

test('a section of the file that holds no keys is refused even when a variable goes below it', (t) => {
  assert.match(
    sentence(t, 'spool: /here', { TCPTRAIL_SPOOL_PATH: '/there' }),
    /^spool in FILE holds no keys/,
  );
});

test('a key without a default is asked for by both its names', (t) => {
  const schema = z.strictObject({ site: z.strictObject({ name: z.string() }) });
  const file = fileWith(t, 'site: {}');
  const error = refusal(() => loadConfig(schema, { part: 'sample', file, env: {} }));
  assert.equal(error.message, `site.name is not set; give a text, in ${file} or as TCPTRAIL_SITE_NAME`);
  assert.equal(loadConfig(schema, { part: 'sample', file, env: { TCPTRAIL_SITE_NAME: 'a' } }).site.name, 'a');
});

test('keys that do not go together are refused in the words of the schema', (t) => {
  const schema = z
    .strictObject({ low: z.int().default(1), high: z.int().default(2) })
    .refine(({ low, high }) => low <= high, { path: ['low'], error: 'must not be above high' })
    .refine(({ low, high }) => low + high < 10, 'must not add up to 10 or more');
  const file = fileWith(t, '');
  const message = (env: Readonly<Record<string, string>>): string =>
    refusal(() => loadConfig(schema, { part: 'sample', file, env })).message;
  assert.equal(message({ TCPTRAIL_LOW: '3' }), 'TCPTRAIL_LOW is 3; it must not be above high');
  assert.equal(
    message({ TCPTRAIL_HIGH: '0' }),
    `low is not set; it must not be above high, in ${file} or as TCPTRAIL_LOW`,
  );
  assert.equal(
    message({ TCPTRAIL_HIGH: '9' }),
    `${file} does not hold together; it must not add up to 10 or more`,
  );
});

const SITES = z.strictObject({
  profile: z
    .enum(['plain', 'big'])
    .meta({ presets: { big: { batch: { rowsMax: 500 }, isOn: true } } })
    .default('plain')
    .describe('A set of values.'),
  isOn: z.boolean().default(false).describe('A switch.'),
  batch: z
    .strictObject({
      rowsMax: z.int().max(1_000).default(10).describe('Rows.'),
      waitMs: z.int().default(5).describe('Wait.'),
    })
    .prefault({}),
  sites: z
    .array(
      z.strictObject({
        name: z.string().describe('Name.'),
        ports: z.array(z.int().min(1)).optional().describe('Ports.'),
      }),
    )
    .default([])
    .describe('A list of sections.'),
});

function loadSites(t: TestContext, yaml: string, env: Readonly<Record<string, string>> = {}) {
  return loadConfig(SITES, { part: 'sites', file: fileWith(t, yaml), env });
}

test('a value with a preset sets what neither file nor environment do', (t) => {
  const whole = ({ isOn, batch }: ConfigOf<typeof SITES>) => [isOn, batch.rowsMax, batch.waitMs];
  assert.deepEqual(whole(loadSites(t, '')), [false, 10, 5]);
  assert.deepEqual(whole(loadSites(t, 'profile: big')), [true, 500, 5]);
  assert.deepEqual(whole(loadSites(t, '', { TCPTRAIL_PROFILE: 'big' })), [true, 500, 5]);
  assert.deepEqual(whole(loadSites(t, 'profile: big\nisOn: false\nbatch: {waitMs: 7}')), [false, 500, 7]);
  const env = { TCPTRAIL_BATCH_ROWS_MAX: '20' };
  assert.deepEqual(whole(loadSites(t, 'profile: big\nbatch: {rowsMax: 30}', env)), [true, 20, 5]);
});

test('a list of sections is read from the file, and from the environment as JSON', (t) => {
  const sites = [{ name: 'a', ports: [1, 2] }, { name: 'b' }];
  assert.deepEqual(loadSites(t, 'sites: [{name: a, ports: [1, 2]}, {name: b}]').sites, sites);
  assert.deepEqual(loadSites(t, '', { TCPTRAIL_SITES: JSON.stringify(sites) }).sites, sites);
});

test('what is wrong in a section of a list is named by its place', (t) => {
  const said = (yaml: string, env: Readonly<Record<string, string>> = {}): string => {
    const file = fileWith(t, yaml);
    return refusal(() => loadConfig(SITES, { part: 'sites', file, env })).message.replaceAll(file, 'FILE');
  };
  const within = (what: string): string => said(`sites: [{name: a}, ${what}]`);
  assert.equal(
    within('{name: b, port: [1]}'),
    'unknown key sites.1.port in FILE; did you mean sites.1.ports? known here: name, ports',
  );
  assert.equal(
    within('{name: b, ports: [0]}'),
    'sites.1.ports.0 in FILE is 0; give a whole number of at least 1',
  );
  assert.equal(within('{ports: [1]}'), 'sites.1.name in FILE has no value; give a text');
  assert.equal(within('3'), 'sites.1 in FILE holds no keys; give them below it: name, ports');
  assert.equal(said('sites: 3'), 'sites in FILE is 3; give a list, each with the keys name, ports');
  assert.equal(
    said('', { TCPTRAIL_SITES: '{' }),
    'TCPTRAIL_SITES is "{"; give a list, each with the keys name, ports',
  );
});

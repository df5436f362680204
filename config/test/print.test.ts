import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ConfigOf, loadConfig } from '../src/load.ts';
import { printConfig } from '../src/print.ts';
import { fileWith, SAMPLE } from './support/sample.ts';

const YAML = `name: "12: #3"
isOn: true
share: 0.75
batch: {rowsMax: 7, ports: [80, 443]}
kafka: {brokers: ['a:1', 'b:2'], sasl: {username: 'on', password: hidden}}
`;

test('what is printed reads as the same configuration, but for secrets', (t) => {
  const load = (yaml: string): ConfigOf<typeof SAMPLE> =>
    loadConfig(SAMPLE, { part: 'sample', file: fileWith(t, yaml), env: {} });
  const config = load(YAML);
  const again = load(printConfig(SAMPLE, config));
  assert.equal(config.kafka.sasl.password, 'hidden');
  assert.equal(again.kafka.sasl.password, '(set)');
  const sasl = { ...again.kafka.sasl, password: 'hidden' };
  assert.deepEqual({ ...again, kafka: { ...again.kafka, sasl } }, config);
});

test('no secret is printed: neither of the key, of its file, nor of a URL', (t) => {
  const passwordFile = fileWith(t, 'hidden\n');
  for (const sasl of [{ password: 'hidden' }, { passwordFile }]) {
    const file = fileWith(t, JSON.stringify({ url: 'http://hidden@host', kafka: { sasl } }));
    const text = printConfig(SAMPLE, loadConfig(SAMPLE, { part: 'sample', file, env: {} }));
    assert.doesNotMatch(text, /hidden/);
    assert.match(text, / password: \(set\)\n/);
  }
});

test('a secret that is empty is printed so', (t) => {
  const config = loadConfig(SAMPLE, { part: 'sample', file: fileWith(t, ''), env: {} });
  assert.match(printConfig(SAMPLE, config), / password: ""\n/);
});

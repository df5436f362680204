import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { NODE_FLAGS } from '../../../agent/src/node-flags.ts';
import { COMPOSE_FILE, environmentOf, ROOT, services } from './compose.ts';
import { copies, dockerfileOf, instructions, isSent } from './dockerfile.ts';

const PARTS = ['agent', 'consumer'] as const;
/** Names the design fixes. */
const TOPICS = ['tcptrail.events', 'tcptrail.dead_letter', 'tcptrail.alerts', 'tcptrail.decisions'];
const METRICS_PORTS = { agent: 9480, consumer: 9481 } as const;
const HOST_PORTS = { kafka: 9092, clickhouse: 8123 } as const;

/** The part and every workspace it needs, also through others. */
function workspacesOf(part: string, found = new Set<string>()): Set<string> {
  if (found.has(part)) return found;
  found.add(part);
  const { dependencies = {} } = JSON.parse(readFileSync(join(ROOT, part, 'package.json'), 'utf8'));
  for (const name of Object.keys(dependencies)) {
    const workspace = /^@tcptrail\/(.+)$/.exec(name)?.[1];
    if (workspace) workspacesOf(workspace, found);
  }
  return found;
}

for (const part of PARTS) {
  test(`all that the ${part}'s Dockerfile copies is there and is sent to the build`, () => {
    const sources = copies(dockerfileOf(part)).flatMap((copy) => copy.sources);
    assert.ok(sources.length > 5);
    for (const source of sources) {
      assert.ok(existsSync(join(ROOT, source)), `${source} is missing`);
      assert.ok(isSent(source), `.dockerignore keeps ${source} out`);
    }
  });

  test(`the ${part}'s Dockerfile copies the workspaces the ${part} needs and no other`, () => {
    const sources = copies(dockerfileOf(part)).flatMap((copy) => copy.sources);
    const manifests = sources.flatMap((source) => /^([a-z]+)\/package\.json$/.exec(source)?.[1] ?? []);
    const needed = [...workspacesOf(part)].sort();
    assert.deepEqual(manifests.sort(), needed);
    assert.deepEqual(sources.filter((source) => /^[a-z]+$/.test(source)).sort(), needed);
  });

  test(`the ${part}'s image asks /healthz at its port, and docker-compose.yml does not move that`, () => {
    const check = instructions(dockerfileOf(part)).find(({ name }) => name === 'HEALTHCHECK')?.text;
    assert.match(check ?? '', new RegExp(`http://127\\.0\\.0\\.1:${METRICS_PORTS[part]}/healthz`));
    const moved = Object.keys(environmentOf(part)).filter((name) => name.startsWith('TCPTRAIL_METRICS_'));
    assert.deepEqual(moved, []);
  });
}

test('the image runs Node.js as the agent wants it', () => {
  const entrypoint = instructions(dockerfileOf('agent')).find(({ name }) => name === 'ENTRYPOINT')?.text;
  assert.deepEqual(JSON.parse(entrypoint ?? ''), ['node', ...NODE_FLAGS, 'agent/src/main.ts']);
});

test('secrets, repository and host modules are not sent to a build', () => {
  for (const path of [
    '.env',
    '.git/config',
    'node_modules/zod/index.js',
    'agent/node_modules/x',
    'agent/test/a.ts',
  ])
    assert.equal(isSent(path), false, path);
});

test('every image that is pulled has a full version', () => {
  const images = Object.values(services()).flatMap(({ image }) => image ?? []);
  const bases = PARTS.flatMap((part) =>
    instructions(dockerfileOf(part)).flatMap(({ name, text }) => (name === 'FROM' ? text : [])),
  );
  assert.equal(images.length + bases.length, 4);
  for (const image of [...images, ...bases]) assert.match(image, /:\d+\.\d+\.\d+[.\da-z-]*$/);
});

test('the Kafka of docker-compose.yml is the one the tests run', () => {
  const pom = readFileSync(join(ROOT, 'infra/kafka/pom.xml'), 'utf8');
  const version = /<kafka\.version>(.+)<\/kafka\.version>/.exec(pom)?.[1];
  assert.equal(services()['kafka']?.image, `apache/kafka:${version}`);
});

test('host ports are the known ones, on loopback, and only of services that are not scaled', () => {
  for (const [name, { ports = [] }] of Object.entries(services())) {
    const port = HOST_PORTS[name as keyof typeof HOST_PORTS];
    assert.deepEqual(ports, port === undefined ? [] : [`127.0.0.1:${port}:${port}`], name);
  }
});

test('each part is told a Kafka address that its listener also advertises to it', () => {
  const advertised = environmentOf('kafka')['KAFKA_ADVERTISED_LISTENERS'] ?? '';
  const listeners = new Map(advertised.split(',').map((each) => each.split('://') as [string, string]));
  assert.equal(environmentOf('agent')['TCPTRAIL_KAFKA_BROKERS'], listeners.get('HOST'));
  assert.equal(environmentOf('consumer')['TCPTRAIL_KAFKA_BROKERS'], listeners.get('SERVICES'));
});

test('topics have the names of the design', () => {
  for (const [topic] of readFileSync(COMPOSE_FILE, 'utf8').matchAll(/\btcptrail\.[a-z_]+/g))
    assert.ok(TOPICS.includes(topic), topic);
});

test('ClickHouse knows the user and password the consumer comes with', () => {
  const clickhouse = environmentOf('clickhouse');
  const consumer = environmentOf('consumer');
  assert.ok(clickhouse['CLICKHOUSE_PASSWORD']);
  assert.equal(consumer['TCPTRAIL_CLICKHOUSE_USERNAME'], clickhouse['CLICKHOUSE_USER']);
  assert.equal(consumer['TCPTRAIL_CLICKHOUSE_PASSWORD'], clickhouse['CLICKHOUSE_PASSWORD']);
});

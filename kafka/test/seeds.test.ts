import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import { createKafka } from '../src/client.ts';
import { kafkaKeys } from '../src/config.ts';
import { hostOf, seedsOf } from '../src/seeds.ts';

test('an IPv6 address goes through kafkajs as a name and comes out as it was', () => {
  for (const address of ['::1', '2001:db8::7', 'fe80::1:2:3:4']) {
    const [seed = ''] = seedsOf([`[${address}]:9092`]);
    const [host = '', port] = seed.split(':');
    assert.deepEqual([hostOf(host), port], [address, '9092']);
  }
});

test('names and IPv4 addresses stay as they are', () => {
  for (const host of ['kafka-1.example', '192.0.2.1', 'localhost']) {
    assert.deepEqual(seedsOf([`${host}:9092`]), [`${host}:9092`]);
    assert.equal(hostOf(host), host);
  }
});

test('each client asks the brokers in an order of its own', () => {
  const brokers = ['a:1', 'b:1', 'c:1'];
  const order = (...numbers: number[]) => seedsOf(brokers, () => numbers.shift() ?? 0);
  assert.deepEqual(order(0.3, 0.1, 0.2), ['b:1', 'c:1', 'a:1']);
  assert.deepEqual(order(0.1, 0.2, 0.3), brokers);
});

const hasIpv6 = Object.values(networkInterfaces()).some((all) =>
  all?.some(({ address }) => address === '::1'),
);

test('a broker at an IPv6 address is called there', { skip: hasIpv6 ? false : 'no IPv6 here' }, async () => {
  const called = Promise.withResolvers<void>();
  const server = createServer((socket) => {
    called.resolve();
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '::1', resolve));
  const { port } = server.address() as { port: number };
  const admin = createKafka(kafkaKeys.parse({ brokers: [`[::1]:${port}`] }), { retriesMax: 0 }).admin();
  await assert.rejects(admin.connect());
  await called.promise;
  await admin.disconnect();
  server.close();
});

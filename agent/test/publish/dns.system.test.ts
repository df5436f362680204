import assert from 'node:assert/strict';
import { statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { spawnBound } from '@tcptrail/local-kafka/bound-child.ts';
import { startKafka, type TestKafka } from '../../../test/harness/kafka.ts';
import { until } from '../../../test/harness/until.ts';
import { createSpool, temporaryFolder } from '../../../test/spool-writer.ts';
import { cursorOf } from './support/broker.ts';

const NAME = 'kafka.test';
const ALONE = join(import.meta.dirname, 'support/publish-alone.ts');

let kafka: TestKafka;
before(async () => {
  kafka = await startKafka({ advertise: NAME });
});
after(() => kafka?.stop());

/** The broker at another address of loopback, until it is closed with all that goes through it. */
async function createDoor(address: string, port: number) {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((near) => {
    connections += 1;
    const far = connect(port, '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('error', () => {}).on('close', () => to.destroy());
      from.pipe(to);
    }
  });
  await new Promise<void>((resolve) => server.listen(port, address, resolve));
  return {
    connections: () => connections,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

test('a broker that moves to another address is found there by its name, and nothing is lost', async () => {
  const port = Number(kafka.brokers[0]?.split(':')[1]);
  const hosts = join(temporaryFolder(), 'hosts');
  const spool = createSpool();
  const isSent = (): boolean => cursorOf(spool).position === statSync(spool.file).size;
  const before = await createDoor('127.0.0.2', port);
  writeFileSync(hosts, `127.0.0.2 ${NAME}\n`);
  spool.batch();
  const inNamespace = `mount --bind '${hosts}' /etc/hosts && exec "$0" "$@"`;
  const section = JSON.stringify({ brokers: [`${NAME}:${port}`] });
  const child = spawnBound(
    'unshare',
    ['--mount', 'sh', '-c', inNamespace, process.execPath, ALONE, spool.path, section],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const ended = new Promise((resolve) => child.once('exit', resolve));
  try {
    let told = '';
    child.stderr?.on('data', (text: Buffer) => {
      told += text.toString();
    });
    await until('the first batch to be sent', () => {
      assert.equal(child.exitCode, null, told);
      return cursorOfIfAny(spool) && isSent();
    });
    assert.ok(before.connections() > 0);

    const behind = await createDoor('127.0.0.3', port);
    writeFileSync(hosts, `127.0.0.3 ${NAME}\n`);
    before.close();
    spool.batch();
    await until('the next batch to be sent', isSent);
    assert.ok(behind.connections() > 0);
    behind.close();
  } finally {
    before.close();
    child.kill('SIGKILL');
    await ended;
  }
});

function cursorOfIfAny(spool: Parameters<typeof cursorOf>[0]): boolean {
  return statSync(join(spool.path, 'cursor/kafka.json'), { throwIfNoEntry: false }) !== undefined;
}

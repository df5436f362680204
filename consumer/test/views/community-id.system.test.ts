import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { writeAddress } from '../../../cli/src/import/address-bytes.ts';
import { capture, needsCapture } from '../../../test/harness/captures.ts';
import { rowsRead } from '../../../test/harness/rows-read.ts';
import { startServer, type TestServer } from '../../../test/harness/server.ts';
import { createRandom } from '../../../test/random.ts';
import { type MadeEnd, NOW_US } from '../../../test/spool-writer.ts';
import { createDatabase } from '../database.ts';

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(() => server?.stop());

const [FAIL, CLOSE, LISTEN, SUMMARY] = [2, 4, 8, 11];
const VECTORS = 'community-id/baseline_deflt.json';
const [TCP, UDP, SCTP] = [6, 17, 132];

interface Vector {
  readonly proto: number;
  readonly saddr: string;
  readonly daddr: string;
  readonly sport: number;
  readonly dport: number;
  readonly communityid: string;
}

const vectors = (...protocols: readonly number[]): readonly Vector[] =>
  (JSON.parse(readFileSync(capture(VECTORS), 'utf8')) as readonly Vector[]).filter(({ proto }) =>
    protocols.includes(proto),
  );

test("the project's vectors of TCP, on connections of both roles", needsCapture(VECTORS), async () => {
  const database = await createDatabase(server.url);
  after(() => database.clickhouse.close());
  const all = vectors(TCP);
  assert.equal(all.length, 4);
  await database.put(
    { agent_epoch: NOW_US, batch_seq: 1 },
    all.map(({ saddr, daddr, sport, dport }, index) => ({
      seq: index + 1,
      kind: CLOSE,
      local: { address: saddr, port: sport },
      peer: { address: daddr, port: dport },
    })),
  );
  const rows = await database.rows<{ id: string }>(
    'SELECT community_id AS id FROM {db}.connections ORDER BY socket_cookie',
  );
  assert.deepEqual(
    rows.map(({ id }) => id),
    all.map(({ communityid }) => communityid),
  );
});

test(
  'its vectors of other protocols with ports, through the same expression',
  needsCapture(VECTORS),
  async () => {
    const database = await createDatabase(server.url);
    after(() => database.clickhouse.close());
    const [column] = await database.rows<{ expression: string }>(
      "SELECT default_expression AS expression FROM system.columns WHERE database = '{db}' AND table = 'tcp_events' AND name = 'community_id'",
    );
    const all = vectors(UDP, SCTP);
    assert.equal(all.length, 4);
    for (const { proto, saddr, daddr, sport, dport, communityid } of all) {
      const expression = column?.expression.replace("'\u0006\\0'", `char(${proto}, 0)`) ?? '';
      const [row] = await database.rows<{ id: string }>(
        `SELECT ${expression} AS id FROM (SELECT toIPv6('${saddr}') AS local_address, toIPv6('${daddr}') AS peer_address, toUInt16(${sport}) AS local_port, toUInt16(${dport}) AS peer_port)`,
      );
      assert.equal(row?.id, communityid);
    }
  },
);

/** The specification, word by word. */
function communityId(ends: readonly [MadeEnd, MadeEnd]): string {
  const isIpv4 = !ends[0].address.includes(':') || ends[0].address.startsWith('::ffff:');
  const bytesOf = ({ address, port }: MadeEnd) => {
    const bytes = Buffer.alloc(18);
    assert.ok(writeAddress(address, bytes, 0));
    bytes.writeUInt16BE(port, 16);
    return bytes.subarray(isIpv4 ? 12 : 0);
  };
  const [low, high] = ends.map(bytesOf).toSorted(Buffer.compare) as [Buffer, Buffer];
  const hash = createHash('sha1').update(Buffer.from([0, 0]));
  for (const end of [low, high]) hash.update(end.subarray(0, -2));
  hash.update(Buffer.from([TCP, 0]));
  for (const end of [low, high]) hash.update(end.subarray(-2));
  return `1:${hash.digest('base64')}`;
}

test('300 random connections of either family have the identifier that the specification gives', async () => {
  const database = await createDatabase(server.url);
  after(() => database.clickhouse.close());
  const random = createRandom(8);
  const address = (kind: number): string => {
    const byte = (): number => random.pick([0, 1, 9, 10, 127, 128, 255]);
    if (kind === 0) return [byte(), byte(), byte(), byte()].join('.');
    const word = (): string => (256 * byte() + byte()).toString(16);
    return kind === 1
      ? `::ffff:${[byte(), byte(), byte(), byte()].join('.')}`
      : Array.from({ length: 8 }, word).join(':');
  };
  const all = Array.from({ length: 300 }, (_, index): [MadeEnd, MadeEnd] => {
    const kind = index % 3;
    const local = { address: address(kind), port: 1 + random.below(65_535) };
    const isSame = random.below(4) === 0;
    return [local, { address: isSame ? local.address : address(kind), port: 1 + random.below(65_535) }];
  });
  await database.put(
    { agent_epoch: NOW_US, batch_seq: 1 },
    all.map(([local, peer], index) => ({ seq: index + 1, local, peer })),
  );
  const rows = await database.rows<{ id: string }>(
    'SELECT community_id AS id FROM {db}.tcp_events ORDER BY seq',
  );
  assert.deepEqual(
    rows.map(({ id }) => id),
    all.map(communityId),
  );
});

test('what has no two ends has none', async () => {
  const database = await createDatabase(server.url);
  after(() => database.clickhouse.close());
  const local = { address: '10.0.0.1', port: 443 };
  await database.put({ agent_epoch: NOW_US, batch_seq: 1 }, [
    { seq: 1, kind: LISTEN, local },
    { seq: 2, kind: SUMMARY, local, peer: { address: '10.0.0.2', port: 0 } },
    { seq: 3, kind: FAIL, local: { address: '::', port: 0 }, peer: local },
  ]);
  const rows = await database.rows("SELECT seq FROM {db}.tcp_events WHERE community_id = ''");
  assert.equal(rows.length, 3);
});

test('finding one of 200,000 events by it reads few of them', async () => {
  const database = await createDatabase(server.url);
  after(() => database.clickhouse.close());
  await database.rows(`
    INSERT INTO {db}.tcp_events (day, host_id, kind, ts, seq, socket_cookie, connections, local_address, local_port, peer_address, peer_port)
    SELECT today(), 'h', 'close', now64(6), number, number + 1, 1,
        toIPv6('10.0.0.1'), 1024 + number % 60000, toIPv6(concat('10.1.', toString(intDiv(number, 60000)), '.1')), 443
    FROM numbers(200000)`);
  const [wanted] = await database.rows<{ id: string }>(
    'SELECT community_id AS id FROM {db}.tcp_events WHERE seq = 150000',
  );
  const found = await rowsRead(server.client, async () => {
    const rows = await database.rows(
      `SELECT socket_cookie FROM {db}.tcp_events WHERE community_id = '${wanted?.id}'`,
    );
    assert.deepEqual(rows, [{ socket_cookie: 150_001 }]);
  });
  assert.ok(found.rows > 0 && found.rows < 50_000, `read ${found.rows} rows`);
  const [of] = await database.rows<{ n: number }>(
    `SELECT count() AS n FROM {db}.connections WHERE community_id = '${wanted?.id}'`,
  );
  assert.equal(of?.n, 1);
});

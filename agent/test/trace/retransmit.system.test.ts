import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { createNetwork, type Network } from './support/network.ts';
import { python } from './support/python.ts';
import type { RingRecord } from './support/record.ts';
import { type Recorder, startRecorder } from './support/recorder.ts';

const BYTES = 4 << 20;

let network: Network;
let recorder: Recorder;
before(async () => {
  network = createNetwork();
  recorder = await startRecorder({ chatterBytes: 4 << 20 });
});
after(() => {
  recorder.close();
  network.remove();
});

/** TcpExt and Tcp counters of a namespace. */
function counters(namespace: string): Record<string, number> {
  const lines = ['snmp', 'netstat']
    .map((name) =>
      execFileSync('ip', ['netns', 'exec', namespace, 'cat', `/proc/net/${name}`], { encoding: 'utf8' }),
    )
    .join('')
    .split('\n')
    .filter((line) => /^Tcp(Ext)?: /.test(line))
    .map((line) => line.split(' ').slice(1));
  const values: Record<string, number> = {};
  for (let i = 0; i + 1 < lines.length; i += 2) {
    lines[i]?.forEach((name, column) => {
      values[name] = Number(lines[i + 1]?.[column]);
    });
  }
  return values;
}

/** One transfer from `here` to `there`; the closes of both ends and the sender's retransmit events. */
async function transfer(
  congestionControl: string,
  {
    bytes = BYTES,
    during = async () => {},
  }: { bytes?: number; during?: (senderPid: number) => Promise<void> } = {},
): Promise<{
  client: RingRecord;
  server: RingRecord;
  events: RingRecord[];
  kernel: Record<string, number>;
}> {
  const earlier = counters(network.here);
  const receiver = python(
    `l = listener('10.9.0.2'); say(l.getsockname()[1]); c, _ = l.accept(); n = read_all(c); c.close(); say(n)`,
    {
      namespace: network.there,
    },
  );
  const sender = python(
    `
s = socket.socket(); s.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, sys.argv[2].encode())
s.connect(('10.9.0.2', int(sys.argv[1]))); s.sendall(b'x' * ${bytes}); s.shutdown(socket.SHUT_WR); read_all(s); s.close()
`,
    { namespace: network.here, args: [String(await receiver.line<number>()), congestionControl] },
  );
  try {
    await during(sender.pid);
    assert.equal(await receiver.line<number>(), bytes);
    await Promise.all([sender.ended(), receiver.ended()]);
  } finally {
    sender.kill();
    receiver.kill();
  }
  const [client = {}] = await recorder.until(1, ({ kind, pid }) => kind === 'close' && pid === sender.pid);
  const [server = {}] = await recorder.until(1, ({ kind, pid }) => kind === 'close' && pid === receiver.pid);
  const events = recorder.records.filter(
    ({ kind, socket_cookie }) => kind === 'retransmit' && socket_cookie === client.socket_cookie,
  );
  const kernel = Object.fromEntries(
    Object.entries(counters(network.here)).map(([name, value]) => [name, value - (earlier[name] ?? 0)]),
  );
  return { client, server, events, kernel };
}

const CAUSES = ['syn', 'syn_ack', 'rto', 'loss_recovery', 'fast', 'tail_loss_probe', 'other'] as const;
const sum = (close: RingRecord): number =>
  CAUSES.reduce((total, cause) => total + Number(close[`retrans_${cause}`]), 0);

for (const congestionControl of readFileSync('/proc/sys/net/ipv4/tcp_available_congestion_control', 'utf8')
  .trim()
  .split(' ')) {
  test(`loss at the receiver under ${congestionControl}: causes add up to the kernel's count, payload is exact`, async () => {
    network.rules(network.there, 'input', ['meta l4proto tcp numgen inc mod 11 0 drop']);
    const { client, server, events, kernel } = await transfer(congestionControl);
    network.rules(network.there, 'input', []);
    assert.partialDeepStrictEqual(client, {
      congestion_control: congestionControl,
      bytes_sent: BYTES,
      bytes_delivered: BYTES,
    });
    assert.equal(server.bytes_received, BYTES);
    assert.ok(Number(client.total_retrans) > 0);
    assert.equal(sum(client), client.total_retrans);
    assert.equal(sum(client), kernel.RetransSegs);
    for (const cause of CAUSES) {
      const segments = events
        .filter((event) => event.retransmit_cause === cause && event.transmit_failed === 0)
        .reduce((total, event) => total + Number(event.retransmit_segments), 0);
      assert.equal(segments, client[`retrans_${cause}`], cause);
    }
    assert.equal(client.retrans_fast, kernel.TCPFastRetrans);
    assert.equal(client.retrans_loss_recovery, kernel.TCPSlowStartRetrans);
  });
}

test('what the timer sends again is told from the recovery that follows', async () => {
  network.rules(network.there, 'input', ['meta l4proto tcp quota over 500000 bytes drop']);
  const { client, kernel } = await transfer('cubic', {
    async during(sender) {
      await recorder.until(1, ({ pid, retransmit_cause }) => pid === sender && retransmit_cause === 'rto');
      network.rules(network.there, 'input', []);
    },
  });
  assert.ok(Number(client.retrans_rto) > 0);
  assert.ok(Number(client.retrans_loss_recovery) > 0);
  assert.equal(client.retrans_rto, kernel.TCPTimeouts);
  assert.equal(client.retrans_loss_recovery, kernel.TCPSlowStartRetrans);
  // A probe may send new data instead.
  assert.ok(Number(client.retrans_tail_loss_probe) <= Number(kernel.TCPLossProbes));
  assert.equal(sum(client), client.total_retrans);
  assert.partialDeepStrictEqual(client, { bytes_sent: BYTES, bytes_delivered: BYTES });
});

test('a loss at the tail is found by the probe', async () => {
  network.rules(network.there, 'input', ['tcp flags & fin == fin limit rate 1/hour burst 1 packets drop']);
  const { client, kernel } = await transfer('cubic', { bytes: 3000 });
  network.rules(network.there, 'input', []);
  assert.equal(kernel.TCPLossProbes, 1);
  assert.equal(client.retrans_tail_loss_probe, 1);
  assert.equal(sum(client), client.total_retrans);
});

test('a first transmission dropped on this host is counted as that and not as payload', async () => {
  network.rules(network.here, 'output', ['meta l4proto tcp numgen inc mod 11 0 drop']);
  const { client, server, events } = await transfer('cubic');
  network.rules(network.here, 'output', []);
  assert.ok(Number(client.local_drop_bytes) > 0);
  const failed = events.filter(({ transmit_failed }) => transmit_failed === 1);
  assert.equal(
    failed.reduce((total, { retransmit_segments }) => total + Number(retransmit_segments), 0),
    client.retrans_failed,
  );
  assert.partialDeepStrictEqual(client, { bytes_sent: BYTES, bytes_delivered: BYTES });
  assert.equal(server.bytes_received, BYTES);
});

test('retransmissions beyond the limit, or that are off, are not told, and counted all the same', async () => {
  const limit = 5;
  const limited = await startRecorder({ events: { retransmitsPerSecond: limit } });
  const off = await startRecorder();
  off.trace.setTunables({ retransmitsOff: true });
  try {
    network.rules(network.there, 'input', ['meta l4proto tcp numgen inc mod 11 0 drop']);
    const { client, events } = await transfer('cubic');
    network.rules(network.there, 'input', []);
    const isOfClient = ({ socket_cookie }: RingRecord): boolean => socket_cookie === client.socket_cookie;
    const [close = {}] = await limited.until(1, (record) => record.kind === 'close' && isOfClient(record));
    const told = limited.records.filter((record) => record.kind === 'retransmit' && isOfClient(record));
    assert.ok(told.length >= limit);
    assert.ok(told.length < events.length);
    assert.equal(sum(close), client.total_retrans);
    // Those that were not told have their causes.
    const segments = told.reduce((total, event) => total + Number(event.retransmit_segments), 0);
    assert.ok(sum(close) - Number(close.retrans_other) > segments);
    const bySecond = Object.groupBy(told, ({ ts }) => Math.floor(Number(ts) / 1e9));
    // One may get its time just after the second that it was counted in.
    for (const second of Object.values(bySecond)) assert.ok((second?.length ?? 0) <= limit + 1);
    const [other = {}] = await off.until(1, (record) => record.kind === 'close' && isOfClient(record));
    assert.equal(sum(other), client.total_retrans);
    assert.ok(!off.records.some(({ kind }) => kind === 'retransmit'));
  } finally {
    limited.close();
    off.close();
  }
});

test('a SYN-ACK sent again is reported for the connection that its answer makes', async () => {
  // The first SYN-ACKs are lost on their way.
  network.rules(network.here, 'input', ['tcp flags & (syn | ack) == syn | ack quota until 150 bytes drop']);
  const listening = python(
    `l = listener('10.9.0.2'); say(l.getsockname()[1]); c, _ = l.accept(); read_all(c); c.close()`,
    {
      namespace: network.there,
    },
  );
  const port = await listening.line<number>();
  const earlier = Number(counters(network.there).TCPSynRetrans);
  const peer = python("s = socket.create_connection(('10.9.0.2', int(sys.argv[1]))); s.close()", {
    namespace: network.here,
    args: [String(port)],
  });
  try {
    await Promise.all([peer.ended(), listening.ended()]);
    network.rules(network.here, 'input', []);
    const [close = {}] = await recorder.until(
      1,
      ({ kind, pid }) => kind === 'close' && pid === listening.pid,
    );
    const again = recorder.records.filter(
      ({ kind, local_port }) => kind === 'retransmit' && local_port === port,
    );
    assert.ok(again.length > 0);
    assert.equal(again.length, Number(counters(network.there).TCPSynRetrans) - earlier);
    // The kernel counts the last one after it was sent, when the child may be made already.
    assert.ok(again.length - Number(close.retrans_syn_ack) <= 1);
    for (const event of again) {
      assert.partialDeepStrictEqual(event, {
        retransmit_cause: 'syn_ack',
        state: 'new_syn_received',
        role: 'server',
        pid: listening.pid,
        socket_cookie: close.socket_cookie ?? 0,
        peer_port: close.peer_port ?? 0,
        local_address: '10.9.0.2',
        peer_address: '10.9.0.1',
      });
    }
  } finally {
    listening.kill();
    peer.kill();
  }
});

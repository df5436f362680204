import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createNetwork, type Network } from './support/network.ts';
import { python } from './support/python.ts';
import type { RingRecord } from './support/record.ts';
import { type Recorder, startRecorder } from './support/recorder.ts';

let network: Network;
let recorder: Recorder;
before(async () => {
  network = createNetwork();
  recorder = await startRecorder();
});
after(() => {
  recorder.close();
  network.remove();
});

interface Failure {
  readonly what: string;
  readonly script: string;
  readonly record: RingRecord;
}

const FAILURES: readonly Failure[] = [
  {
    what: 'no answer',
    script: "s.setsockopt(socket.IPPROTO_TCP, socket.TCP_SYNCNT, 1); go(('10.9.0.2', 1015))",
    record: { verdict: 'timed_out', errno: 110, errno_known: 1, retrans_syn: 2, total_retrans: 2 },
  },
  {
    what: 'an ICMP refusal',
    script: "go(('10.9.0.2', 1016))",
    record: { verdict: 'unreachable', errno: 113, errno_known: 1 },
  },
  {
    what: 'a close before the answer',
    script: "s.setblocking(False); s.connect_ex(('10.9.0.2', 1015))",
    record: { verdict: 'cancelled', errno: 0, errno_known: 1 },
  },
  {
    what: 'no free local port',
    script:
      "t = socket.create_connection(('10.9.0.2', int(sys.argv[1]))); go(('10.9.0.2', int(sys.argv[1])))",
    record: { verdict: 'addr_not_avail', errno: 99, errno_known: 0 },
  },
];

for (const { what, script, record } of FAILURES) {
  test(`a connect that ends with ${what} is a fail with its verdict`, async () => {
    network.rules(network.there, 'input', [
      'tcp dport 1015 drop',
      'tcp dport 1016 reject with icmpx host-unreachable',
    ]);
    network.sysctl(network.here, 'net.ipv4.ip_local_port_range', '40000 40000');
    network.sysctl(network.here, 'net.ipv4.tcp_syn_linear_timeouts', '1');
    const listening = python(`l = listener('10.9.0.2'); say(l.getsockname()[1]); hear()`, {
      namespace: network.there,
    });
    try {
      const peer = python(
        `
s = socket.socket()
def go(a):
    try: s.connect(a)
    except OSError: pass
${script}
s.close()
`,
        { namespace: network.here, args: [String(await listening.line<number>())] },
      );
      const [fail = {}] = await recorder.until(1, ({ kind, pid }) => kind === 'fail' && pid === peer.pid);
      assert.partialDeepStrictEqual(fail, {
        ...record,
        role: 'client',
        owner_source: 'connect',
        bytes_sent: 0,
        peer_address: '10.9.0.2',
      });
    } finally {
      listening.kill();
    }
  });
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../../../test/harness/until.ts';
import { createNetwork } from './support/network.ts';
import { python } from './support/python.ts';
import { startRecorder } from './support/recorder.ts';

test('a handshake that was given up is told once, with the SYN-ACKs that nobody answered', async () => {
  const network = createNetwork();
  const recorder = await startRecorder();
  const listening = python(`l = listener('10.9.0.2'); say(l.getsockname()[1]); hear()`, {
    namespace: network.there,
  });
  try {
    network.sysctl(network.there, 'net.ipv4.tcp_synack_retries', '1');
    network.rules(network.here, 'input', ['meta l4proto tcp drop']);
    const port = await listening.line<number>();
    const told = async () => {
      recorder.watch();
      await recorder.drain();
      return recorder.records.filter(({ kind, local_port }) => kind === 'half_open' && local_port === port);
    };
    const attempt = async () => {
      // One SYN comes through: another would be answered too.
      network.rules(network.there, 'input', ['tcp flags & syn == syn quota over 60 bytes drop']);
      const peer = python(
        "s = socket.socket(); s.setblocking(False); s.connect_ex(('10.9.0.2', int(sys.argv[1])))",
        { namespace: network.here, args: [String(port)] },
      );
      await peer.ended();
      return until('the handshake to be given up', async () => (await told())[0], 15_000);
    };
    // The one call that tells of it may reach no program (docs/decisions/0012): what is never told fails three times.
    const first = await attempt().catch(attempt).catch(attempt);
    assert.partialDeepStrictEqual(first, {
      attempts: 2,
      role: 'server',
      state: 'new_syn_received',
      pid: listening.pid,
      local_address: '10.9.0.2',
      peer_address: '10.9.0.1',
    });
    const again = recorder.records.filter(
      ({ kind, socket_cookie }) => kind === 'retransmit' && socket_cookie === first.socket_cookie,
    );
    assert.equal(again.length, 1);
    await told();
    assert.equal((await told()).length, 1);
  } finally {
    listening.kill();
    recorder.close();
    network.remove();
  }
});

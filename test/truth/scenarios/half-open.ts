/** Handshakes that the listening side gives up. */
import { addressDigits } from '../address.ts';
import { atLeast, between } from '../check.ts';
import { inside, now } from '../clock.ts';
import { ownerFields } from '../owner-fields.ts';
import { drop } from '../play.ts';
import { type Scenario, scenario } from '../scenario.ts';
import type { Family } from '../socket.ts';
import type { Fields } from '../truth.ts';

/** Of nobody: no socket has it. */
const PORT = 5_555;
/** Between two looks at the clock within one run of a program. */
const APART_US = 1_000;

/** `synAcks`: before the kernel gives the handshake up, the first one counted. */
function halfOpen(name: string, what: string, family: Family, synAcks: number): Scenario {
  const needs = ['nftables', 'raw', ...(family === 'ipv6' ? (['ipv6'] as const) : [])] as const;
  return scenario(name, what, needs, async (t) => {
    const [near, far] = await t.link();
    await far.sysctl('net.ipv4.tcp_synack_retries', synAcks - 1);
    const { listening } = await t.listen(await far.actor(), far[family]);
    if (!listening) throw new Error('not a listener');
    const { port } = listening.local;
    // Nobody at the other end says that it knows nothing of this.
    await drop(near, 'input', 'drop');
    const { before } = await near.steward.must(`raw ${near[family]} ${PORT} ${far[family]} ${port} S 1000 0`);
    await t.counted(far, 'TCPSynRetrans', synAcks - 1);
    await t.alone(far, 1);
    const told = await t.seen(
      far,
      'the handshake to be told as half open',
      ({ kind }) => kind === 'half_open',
    );
    const same: Fields = {
      ...ownerFields(listening.process, 'listener'),
      local_address: addressDigits(far[family]),
      local_port: port,
      peer_address: addressDigits(near[family]),
      peer_port: PORT,
      family,
      state: 'new_syn_received',
      role: 'server',
      generation: 0,
      late: false,
      connections: 0,
      ts: inside({ before, after: now() }),
    };
    t.row('half_open', far, {
      key: { peer_port: PORT },
      fields: {
        ...same,
        attempts: synAcks,
        socket_cookie: atLeast(1),
        socket_uid: listening.process.uid,
      },
    });
    const again: Fields = {
      ...same,
      socket_cookie: told['socket_cookie'] ?? '(absent)',
      retransmit_cause: 'syn_ack',
      retransmit_segments: 1,
    };
    const rows = { kind: 'retransmit', namespace: far.inode, key: { peer_port: PORT } };
    // It tells of the last SYN-ACK.
    const ts = Number(told['ts']);
    const last = { ...again, ts: between(ts - APART_US, ts + APART_US) };
    t.expect({ ...rows, fields: last, least: 1, most: 1 });
    t.expect({ ...rows, fields: again, least: synAcks - 2, most: synAcks - 2 });
  });
}

export const HALF_OPEN: readonly Scenario[] = [
  halfOpen(
    'half_open',
    'a SYN from nobody: the SYN-ACK goes three times unanswered, the handshake is given up',
    'ipv4',
    3,
  ),
  halfOpen('half_open_ipv6', 'the same over IPv6, the SYN-ACK goes twice', 'ipv6', 2),
];

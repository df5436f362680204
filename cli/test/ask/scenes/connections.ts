/** Scenes about single connections: what they were, how they ended, what they left. */
import { at, close, event, fail, iso, type Scene, server, summary, times, v4 } from '../scene.ts';

const CURL = '/usr/bin/curl';
const NGINX = '/usr/sbin/nginx';
const PEER = v4('10.9.0.1');

/** The connection of the Community ID's specification. */
const ZEEK = {
  local_address: v4('128.232.110.120'),
  local_port: 34_855,
  peer_address: v4('66.35.250.204'),
  peer_port: 80,
  bytes_sent: 8,
};

export const CONNECTIONS: readonly Scene[] = [
  {
    question: 'process-connections',
    events: [
      event('retransmit', 2, { peer_port: 99 }),
      close(6.5, { pid: 7 }),
      // One connection, told twice: its end counts.
      event('open', 2, { start: 1, socket_cookie: 1, bytes_sent: 5 }),
      close(3, { start: 1, socket_cookie: 1, bytes_sent: 70, bytes_received: 7 }),
      event('open', 5, { start: 4, socket_cookie: 2, bytes_sent: 1 }),
      fail(6, { peer_port: 80 }),
      summary(7, { peer_port: 53, connections: 9, bytes_received: 90 }),
      summary(8, { peer_port: 53, connections: 1, bytes_received: 10 }),
      close(9, server(8_080, { executable: '/opt/curl', pid: 101 })),
      close(10, { executable: '/usr/bin/wget', comm: 'wget' }),
    ],
    asks: [
      {
        args: ['--process', 'curl'],
        columns:
          'host_name pid executable role peer_address service_port outcome connections first_start_ts last_ts bytes',
        rows: [
          [
            'process-connections-a',
            101,
            '/opt/curl',
            'server',
            PEER,
            8_080,
            'closed_local',
            1,
            at(9),
            at(9),
            0,
          ],
          ['process-connections-a', 0, CURL, 'client', PEER, 53, 'closed_local', 10, at(7), at(8), 100],
          ['process-connections-a', 7, CURL, 'client', PEER, 443, 'closed_local', 1, at(6.5), at(6.5), 0],
          ['process-connections-a', 100, CURL, 'client', PEER, 80, 'refused', 1, at(6), at(6), 0],
          ['process-connections-a', 100, CURL, 'client', PEER, 443, 'open', 1, at(4), at(5), 1],
          ['process-connections-a', 100, CURL, 'client', PEER, 443, 'closed_local', 1, at(1), at(3), 77],
        ],
      },
      {
        args: ['--process', '/usr/bin/curl', '--pid', '100'],
        since: iso(5),
        until: iso(7),
        rows: [
          ['process-connections-a', 100, CURL, 'client', PEER, 80, 'refused', 1, at(6), at(6), 0],
          ['process-connections-a', 100, CURL, 'client', PEER, 443, 'open', 1, at(4), at(5), 1],
        ],
      },
    ],
  },
  {
    question: 'alive-across',
    events: [
      // Too short for an open.
      close(5, { start: 4.999 }),
      event('open', 1, { start: 0, socket_cookie: 1 }),
      close(40, { start: 0, socket_cookie: 1 }),
      // Quiet ever since.
      event('open', 2, { start: 1, socket_cookie: 2 }),
      // Ended in the window, and before it.
      event('open', 3, { start: 2, socket_cookie: 3 }),
      close(25, { start: 2, socket_cookie: 3 }),
      event('open', 4, { start: 3, socket_cookie: 4 }),
      close(10, { start: 3, socket_cookie: 4 }),
      // Began in it, and after it.
      close(45, { start: 25, socket_cookie: 5 }),
      event('open', 50, { start: 49, socket_cookie: 6 }),
      // Days old, and told of after the window only.
      event('update', 35, { ...server(80), start: -3_000, socket_cookie: 7 }),
      // Told of and ended below half a second.
      event('open', 19, { start: 19 - 1 / 600, socket_cookie: 9, peer_port: 25 }),
      close(19.001, { start: 19 - 1 / 600, socket_cookie: 9, peer_port: 25 }),
      // Quiet for longer than the hours looked at.
      event('open', -120, { start: -121, socket_cookie: 8, peer_port: 22 }),
    ],
    decoysInTime: false,
    asks: [
      {
        args: ['--hours', '1'],
        since: iso(20),
        until: iso(30),
        columns:
          'host_name executable role peer_address service_port connections without_end oldest_start_ts last_ts',
        rows: [
          ['alive-across-a', CURL, 'client', PEER, 443, 2, 1, at(0), at(40)],
          ['alive-across-a', NGINX, 'server', PEER, 80, 1, 1, at(-3_000), at(35)],
        ],
      },
      {
        since: iso(20),
        until: iso(30),
        rows: [
          ['alive-across-a', CURL, 'client', PEER, 443, 2, 1, at(0), at(40)],
          ['alive-across-a', NGINX, 'server', PEER, 80, 1, 1, at(-3_000), at(35)],
          ['alive-across-a', CURL, 'client', PEER, 22, 1, 1, at(-121), at(-120)],
        ],
      },
    ],
  },
  {
    question: 'longest-lived',
    events: [
      close(30, { start: 10, bytes_sent: 1, bytes_received: 2 }),
      close(31, { ...server(80), start: -60, verdict: 'timed_out' }),
      // The sum over many is nobody's life, and what is open has not ended.
      summary(32, { connections: 100, duration_us: 9e12 }),
      event('open', 33, { start: -600 }),
    ],
    asks: [
      {
        columns:
          'ts host_name executable pid role peer_address service_port verdict start_ts duration_us bytes',
        rows: [
          [at(31), 'longest-lived-a', NGINX, 100, 'server', PEER, 80, 'timed_out', at(-60), 91 * 60e6, 0],
          [at(30), 'longest-lived-a', CURL, 100, 'client', PEER, 443, 'closed_local', at(10), 20 * 60e6, 3],
        ],
      },
      {
        limit: 1,
        rows: [
          [at(31), 'longest-lived-a', NGINX, 100, 'server', PEER, 80, 'timed_out', at(-60), 91 * 60e6, 0],
        ],
      },
    ],
  },
  {
    question: 'live-connections',
    events: [
      // Told of before the window only.
      event('open', -1, { start: -2, socket_cookie: 9 }),
      event('open', 2, { start: 1, socket_cookie: 1, bytes_sent: 5 }),
      event('update', 9, { start: 1, socket_cookie: 1, bytes_sent: 50, bytes_received: 3 }),
      event('open', 4, { ...server(80), start: 3, socket_cookie: 2 }),
      event('open', 5, { start: 4, socket_cookie: 3 }),
      close(6, { start: 4, socket_cookie: 3 }),
      // Of an earlier boot.
      event('open', 7, { start: 6, socket_cookie: 4, boot_id: 'earlier' }),
      // Told of and ended below half a second.
      event('open', 8, { start: 8 - 1 / 600, socket_cookie: 5 }),
      close(8.001, { start: 8 - 1 / 600, socket_cookie: 5 }),
    ],
    batches: [
      { minute: 8, boot_id: 'earlier', heartbeat: true },
      { minute: 30, heartbeat: true },
    ],
    decoysInTime: false,
    asks: [
      {
        columns:
          'host_name executable pid role peer_address service_port start_ts seen_ts bytes_sent bytes_received',
        rows: [
          ['live-connections-a', CURL, 100, 'client', PEER, 443, at(1), at(9), 50, 3],
          ['live-connections-a', NGINX, 100, 'server', PEER, 80, at(3), at(4), 0, 0],
        ],
      },
    ],
  },
  {
    question: 'with-peer',
    events: [
      close(5, { start: 4, peer_address: v4('203.0.113.8'), bytes_sent: 4, bytes_received: 5 }),
      fail(6, { peer_address: v4('203.0.113.8') }),
      summary(7, { peer_address: v4('203.0.113.8'), connections: 3, local_port: 0 }),
      // Open still, told of twice; and one that ended after it was told of.
      event('open', 8, { peer_address: v4('203.0.113.8'), start: 7, socket_cookie: 1 }),
      event('update', 9, { peer_address: v4('203.0.113.8'), start: 7, socket_cookie: 1, bytes_sent: 6 }),
      event('open', 4.5, { peer_address: v4('203.0.113.8'), start: 3, socket_cookie: 2 }),
      close(4.75, { peer_address: v4('203.0.113.8'), start: 3, socket_cookie: 2 }),
      // Ends without storage have no cookie: one row each.
      close(1, { peer_address: v4('203.0.113.8'), socket_cookie: 0 }),
      close(2, { peer_address: v4('203.0.113.8'), socket_cookie: 0 }),
      event('retransmit', 9.5, { peer_address: v4('203.0.113.8') }),
      close(9, { peer_address: '2001:db8::8' }),
      close(10),
    ],
    asks: [
      {
        args: ['--address', '203.0.113.8'],
        columns:
          'ts host_name executable pid role local_address local_port peer_address peer_port kind verdict connections duration_us bytes_sent bytes_received',
        rows: [
          withPeer(9, [100, v4('10.0.0.1'), 50_000], ['update', 'unknown', 1, 120e6, 6, 0]),
          withPeer(7, [0, v4('10.0.0.1'), 0], ['summary', 'closed_local', 3, 0, 0, 0]),
          withPeer(6, [100, v4('10.0.0.1'), 50_000], ['fail', 'refused', 1, 0, 0, 0]),
          withPeer(5, [100, v4('10.0.0.1'), 50_000], ['close', 'closed_local', 1, 60e6, 4, 5]),
          withPeer(4.75, [100, v4('10.0.0.1'), 50_000], ['close', 'closed_local', 1, 105e6, 0, 0]),
          withPeer(2, [100, v4('10.0.0.1'), 50_000], ['close', 'closed_local', 1, 0, 0, 0]),
          withPeer(1, [100, v4('10.0.0.1'), 50_000], ['close', 'closed_local', 1, 0, 0, 0]),
        ],
      },
      {
        args: ['--address', '2001:db8::8'],
        rows: [
          withPeer(9, [100, v4('10.0.0.1'), 50_000], ['close', 'closed_local', 1, 0, 0, 0], '2001:db8::8'),
        ],
      },
    ],
  },
  {
    // The vector of the specification's baseline: 128.232.110.120:34855 → 66.35.250.204:80.
    question: 'by-community-id',
    events: [close(2, ZEEK), event('open', 1, ZEEK), close(3)],
    asks: [
      {
        args: ['--community-id', '1:LQU9qZlK+B5F3KDmev6m5PMibrg='],
        columns:
          'ts host_name kind executable pid uid role local_address local_port peer_address peer_port verdict bytes_sent bytes_received',
        rows: [
          [
            ...[at(2), 'by-community-id-a', 'close', CURL, 100, 0, 'client', v4('128.232.110.120'), 34_855],
            ...[v4('66.35.250.204'), 80, 'closed_local', 8, 0],
          ],
          [
            ...[at(1), 'by-community-id-a', 'open', CURL, 100, 0, 'client', v4('128.232.110.120'), 34_855],
            ...[v4('66.35.250.204'), 80, 'unknown', 8, 0],
          ],
        ],
      },
    ],
  },
  {
    question: 'data-left-behind',
    events: [
      close(1, { bytes_unread: 10 }),
      close(2, { bytes_unsent: 5 }),
      close(3, server(80, { verdict: 'reset_sent', bytes_unread: 7 })),
      close(4),
      event('update', 5, { bytes_unread: 1_000 }),
    ],
    asks: [
      {
        columns:
          'host_name executable role verdict service_port connections bytes_unread bytes_unsent bytes_left',
        rows: [
          ['data-left-behind-a', CURL, 'client', 'closed_local', 443, 2, 10, 5, 15],
          ['data-left-behind-a', NGINX, 'server', 'reset_sent', 80, 1, 7, 0, 7],
        ],
      },
    ],
  },
  {
    question: 'unanswered',
    events: [
      close(1, { bytes_sent: 3 }),
      summary(2, { connections: 4, bytes_sent: 12 }),
      close(3, { bytes_sent: 3, bytes_received: 1, peer_port: 80 }),
      close(4, { peer_port: 81 }),
      close(5, server(82, { bytes_sent: 3 })),
    ],
    asks: [
      {
        columns: 'host_name executable peer_address peer_port connections bytes_sent last_ts',
        rows: [['unanswered-a', CURL, PEER, 443, 5, 15, at(2)]],
      },
    ],
  },
  {
    question: 'beacons',
    events: [
      ...times(20, (index) => event('update', index, { peer_port: 81 })),
      ...times(20, (index) => close(index, { bytes_sent: 10 })),
      // Twenty gaps of one and of three minutes in turn: 2 on average, 1 off each time.
      ...times(21, (index) => close(2 * index + (index % 2 === 0 ? 0 : -1), { peer_port: 80 })),
      ...times(5, (index) => close(index, { peer_port: 81 })),
    ],
    asks: [
      {
        columns: 'host_name executable peer_address peer_port calls gap_s_mean spread_percent bytes_sent',
        rows: [['beacons-a', CURL, PEER, 443, 20, 60, 0, 200]],
      },
      {
        args: ['--calls-min', '21', '--spread-percent-max', '50'],
        rows: [['beacons-a', CURL, PEER, 80, 21, 120, 50, 0]],
      },
    ],
  },
];

function withPeer(
  minute: number,
  own: readonly unknown[],
  end: readonly unknown[],
  peer: string = v4('203.0.113.8'),
): readonly unknown[] {
  const [pid, ...local] = own;
  return [at(minute), 'with-peer-a', CURL, pid, 'client', ...local, peer, 443, ...end];
}

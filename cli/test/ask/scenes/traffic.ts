/** Scenes about how much goes where. */
import {
  at,
  bin,
  close,
  DAY_MINUTES,
  event,
  fail,
  iso,
  type Scene,
  server,
  summary,
  times,
  v4,
} from '../scene.ts';

const CURL = '/usr/bin/curl';
const NGINX = '/usr/sbin/nginx';

export const TRAFFIC: readonly Scene[] = [
  {
    question: 'top-talkers',
    events: [
      close(1, { bytes_sent: 100, bytes_received: 10 }),
      close(59, { bytes_sent: 50, bytes_received: 5 }),
      close(3, server(80, { bytes_sent: 1_000 })),
      summary(4, { host: 'b', connections: 10, bytes_sent: 30, bytes_received: 20 }),
      // No bytes, and bytes so far of what goes on: neither is told.
      fail(5, { host: 'b', peer_port: 22 }),
      event('update', 6, { bytes_sent: 5_000 }),
    ],
    asks: [
      {
        columns: 'host_name executable role service_port connections bytes_sent bytes_received bytes',
        rows: [
          ['top-talkers-a', NGINX, 'server', 80, 1, 1_000, 0, 1_000],
          ['top-talkers-a', CURL, 'client', 443, 2, 150, 15, 165],
          ['top-talkers-b', CURL, 'client', 443, 10, 30, 20, 50],
        ],
      },
      { own: true, limit: 1, rows: [['top-talkers-a', NGINX, 'server', 80, 2, 2_000, 0, 2_000]] },
    ],
  },
  {
    question: 'traffic-by-hour',
    events: [
      close(1, { bytes_sent: 5, bytes_received: 6 }),
      fail(2),
      summary(90, { connections: 7, bytes_sent: 70, bytes_received: 7 }),
    ],
    asks: [
      {
        until: iso(120),
        columns: 'bin connections failures bytes_sent bytes_received',
        rows: [
          [bin(60), 7, 0, 70, 7],
          [bin(0), 2, 1, 5, 6],
        ],
      },
      { until: iso(120), limit: 1, rows: [[bin(60), 7, 0, 70, 7]] },
    ],
  },
  {
    question: 'busiest-hosts',
    events: [
      close(1, { bytes_sent: 1 }),
      fail(2),
      close(3, server(80, { bytes_received: 9 })),
      summary(4, { host: 'b', connections: 5, bytes_sent: 2 }),
    ],
    asks: [
      {
        columns: 'host_name connections as_client as_server failures bytes_sent bytes_received',
        rows: [
          ['busiest-hosts-b', 5, 5, 0, 0, 2, 0],
          ['busiest-hosts-a', 3, 2, 1, 1, 1, 9],
        ],
      },
    ],
  },
  {
    question: 'top-services',
    events: [
      event('open', 6, { peer_port: 25 }),
      close(1, { bytes_sent: 3, bytes_received: 4 }),
      close(2, { host: 'b', executable: '/usr/bin/wget', peer_address: v4('10.9.0.2') }),
      fail(3),
      close(4, { peer_port: 5_432, bytes_sent: 1 }),
      close(5, server(443)),
    ],
    asks: [
      {
        columns: 'service_port connections failures hosts executables peers bytes',
        rows: [
          [443, 3, 1, 2, 2, 2, 7],
          [5_432, 1, 0, 1, 1, 1, 1],
        ],
      },
    ],
  },
  {
    question: 'served-ports',
    events: [
      close(1, server(80, { peer_address: v4('10.1.0.1'), bytes_sent: 10 })),
      close(2, server(80, { peer_address: v4('10.1.0.2'), bytes_received: 3 })),
      close(3, server(22, { executable: '/usr/sbin/sshd' })),
      // A client, and a handshake that never became a connection.
      close(4, { peer_port: 80 }),
      event('half_open', 5, server(25)),
    ],
    asks: [
      {
        columns: 'host_name service_port executable connections clients bytes_sent bytes_received',
        rows: [
          ['served-ports-a', 80, NGINX, 2, 2, 10, 3],
          ['served-ports-a', 22, '/usr/sbin/sshd', 1, 1, 0, 0],
        ],
      },
    ],
  },
  {
    question: 'biggest-connections',
    events: [
      close(10, { start: 9, bytes_sent: 700, bytes_received: 1 }),
      close(11, server(80, { bytes_received: 900 })),
      // Many folded into one are no single connection.
      summary(12, { connections: 100, bytes_sent: 1_000_000 }),
    ],
    asks: [
      {
        columns:
          'ts host_name executable pid role peer_address service_port verdict duration_us bytes_sent bytes_received bytes',
        rows: [
          [
            at(11),
            'biggest-connections-a',
            NGINX,
            100,
            'server',
            v4('10.9.0.1'),
            80,
            'closed_local',
            0,
            0,
            900,
            900,
          ],
          [
            at(10),
            'biggest-connections-a',
            CURL,
            100,
            'client',
            v4('10.9.0.1'),
            443,
            'closed_local',
            60e6,
            700,
            1,
            701,
          ],
        ],
      },
      {
        limit: 1,
        rows: [
          [
            at(11),
            'biggest-connections-a',
            NGINX,
            100,
            'server',
            v4('10.9.0.1'),
            80,
            'closed_local',
            0,
            0,
            900,
            900,
          ],
        ],
      },
    ],
  },
  {
    question: 'traffic-by-unit',
    events: [
      event('update', 4, { systemd_unit: 'web.service', bytes_sent: 1_000 }),
      close(1, { systemd_unit: 'web.service', bytes_sent: 10, bytes_received: 1 }),
      close(2, { systemd_unit: 'web.service', bytes_sent: 10 }),
      close(3, { container_id: 'c0ffee', pod_uid: 'p0d', bytes_received: 5 }),
    ],
    asks: [
      {
        columns: 'host_name systemd_unit container_id pod_uid connections bytes_sent bytes_received bytes',
        rows: [
          ['traffic-by-unit-a', 'web.service', '', '', 2, 20, 1, 21],
          ['traffic-by-unit-a', '', 'c0ffee', 'p0d', 1, 0, 5, 5],
        ],
      },
    ],
  },
  {
    question: 'users-that-connect',
    events: [
      close(1, { uid: 1_000, bytes_sent: 4 }),
      close(2, { uid: 1_000, peer_port: 22, executable: '/usr/bin/ssh', peer_address: v4('10.9.0.2') }),
      // Open still, told of twice; and one that ended after it was told of.
      event('open', 2, { start: 1, socket_cookie: 1, uid: 1_000, peer_port: 22, executable: '/usr/bin/ssh' }),
      event('update', 9, {
        ...{
          start: 1,
          socket_cookie: 1,
          uid: 1_000,
          peer_port: 22,
          executable: '/usr/bin/ssh',
          bytes_sent: 70,
        },
      }),
      event('open', 4, { start: 3, socket_cookie: 2, uid: 1_000, bytes_sent: 500 }),
      close(6, { start: 3, socket_cookie: 2, uid: 1_000, bytes_sent: 600 }),
      // Told of and ended below half a second.
      event('open', 5, { start: 5 - 1 / 600, socket_cookie: 3, uid: 33, peer_port: 80 }),
      close(5.001, { start: 5 - 1 / 600, socket_cookie: 3, uid: 33, peer_port: 80 }),
      close(3, { uid: 33 }),
      // Of several processes of one user.
      summary(7, { uid: 33, connections: 8, peer_port: 53 }),
      // Without a process nobody knows the user, and a server's user did not choose its peer.
      close(4, { pid: 0 }),
      event('open', 4, { pid: 0 }),
      close(5, server(80, { uid: 33 })),
      event('open', 5, server(80, { uid: 33 })),
    ],
    asks: [
      {
        columns: 'host_name uid executables ports connections peers bytes_sent',
        rows: [
          ['users-that-connect-a', 33, [CURL], [53, 80, 443], 10, 1, 0],
          ['users-that-connect-a', 1_000, [CURL, '/usr/bin/ssh'], [22, 443], 4, 2, 674],
        ],
      },
    ],
  },
  {
    question: 'connection-churn',
    events: [
      summary(4, { ...server(80), pid: 0, connections: 200 }),
      summary(1, { connections: 150, duration_us: 300_000, bytes_sent: 1_500 }),
      // Too few, and too long.
      close(2, { peer_port: 5_432 }),
      summary(3, { peer_port: 22, connections: 100, duration_us: 200_000_000 }),
    ],
    asks: [
      {
        columns: 'host_name executable service_port connections duration_us_mean bytes_mean',
        rows: [['connection-churn-a', CURL, 443, 150, 2_000, 10]],
      },
      {
        args: ['--connections-min', '1', '--duration-us-max', '2000000'],
        rows: [
          ['connection-churn-a', CURL, 443, 150, 2_000, 10],
          ['connection-churn-a', CURL, 22, 100, 2_000_000, 0],
          ['connection-churn-a', CURL, 5_432, 1, 0, 0],
        ],
      },
    ],
  },
  {
    question: 'what-changed',
    events: [
      ...times(3, (index) => close(1 + index, { bytes_sent: 10 })),
      close(1 - DAY_MINUTES, { bytes_sent: 4 }),
      close(2, { peer_port: 22 }),
      summary(3 - DAY_MINUTES, { peer_port: 80, connections: 5, bytes_sent: 50 }),
      // As many as a day earlier: no change.
      close(4, server(80)),
      close(4 - DAY_MINUTES, server(80)),
      // Two hours earlier.
      close(-110, { peer_port: 25 }),
      // Nothing else of these hosts.
      close(5, { host: 'b', peer_port: 22 }),
      close(5 - DAY_MINUTES, { host: 'c', peer_port: 22 }),
      // In five minutes that have only begun when the window ends.
      close(64 - DAY_MINUTES, { peer_port: 53 }),
    ],
    decoysInTime: false,
    asks: [
      {
        columns:
          'change host_name executable role service_port connections connections_before bytes bytes_before',
        rows: [
          ['gone', 'what-changed-a', CURL, 'client', 80, 0, 5, 0, 50],
          ['more', 'what-changed-a', CURL, 'client', 443, 3, 1, 30, 4],
          ['new', 'what-changed-a', CURL, 'client', 22, 1, 0, 0, 0],
          ['host_new', 'what-changed-b', CURL, 'client', 22, 1, 0, 0, 0],
          ['host_gone', 'what-changed-c', CURL, 'client', 22, 0, 1, 0, 0],
        ],
      },
      {
        until: iso(63),
        rows: [
          ['gone', 'what-changed-a', CURL, 'client', 80, 0, 5, 0, 50],
          ['more', 'what-changed-a', CURL, 'client', 443, 3, 1, 30, 4],
          ['new', 'what-changed-a', CURL, 'client', 22, 1, 0, 0, 0],
          ['host_new', 'what-changed-b', CURL, 'client', 22, 1, 0, 0, 0],
          ['host_gone', 'what-changed-c', CURL, 'client', 22, 0, 1, 0, 0],
        ],
      },
      {
        args: ['--earlier-s', '7200', '--change-min', '1'],
        rows: [
          ['new', 'what-changed-a', CURL, 'client', 443, 3, 0, 30, 0],
          ['new', 'what-changed-a', CURL, 'client', 22, 1, 0, 0, 0],
          ['gone', 'what-changed-a', CURL, 'client', 25, 0, 1, 0, 0],
          ['new', 'what-changed-a', NGINX, 'server', 80, 1, 0, 0, 0],
          ['host_new', 'what-changed-b', CURL, 'client', 22, 1, 0, 0, 0],
        ],
      },
    ],
  },
];

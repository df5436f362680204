/** Scenes about who met whom, when first, and who no longer does. */
import {
  at,
  close,
  DAY_MINUTES,
  day,
  fail,
  iso,
  listener,
  type Scene,
  server,
  summary,
  times,
  v4,
} from '../scene.ts';

const CURL = '/usr/bin/curl';
const NGINX = '/usr/sbin/nginx';
const BAD = v4('203.0.113.80');
const PEER = v4('10.9.0.1');

export const PEERS: readonly Scene[] = [
  {
    question: 'who-talked-to',
    events: [
      close(1, { peer_address: BAD, bytes_sent: 5, bytes_received: 6 }),
      close(2 - 2 * DAY_MINUTES, { peer_address: BAD, bytes_sent: 1 }),
      fail(3, { host: 'b', peer_address: BAD }),
      close(4, server(80, { host: 'b', peer_address: BAD })),
      close(5, { peer_address: '2001:db8::80' }),
      close(6),
    ],
    decoysInTime: false,
    asks: [
      {
        args: ['--address', '203.0.113.80'],
        since: '400d',
        columns:
          'host_name executable role service_port first_ts last_ts connections failures bytes_sent bytes_received',
        rows: [
          ['who-talked-to-a', CURL, 'client', 443, at(2 - 2 * DAY_MINUTES), at(1), 2, 0, 6, 6],
          ['who-talked-to-b', CURL, 'client', 443, at(3), at(3), 1, 1, 0, 0],
          ['who-talked-to-b', NGINX, 'server', 80, at(4), at(4), 1, 0, 0, 0],
        ],
      },
      {
        args: ['--address', '2001:db8::80'],
        rows: [['who-talked-to-a', CURL, 'client', 443, at(5), at(5), 1, 0, 0, 0]],
      },
    ],
  },
  {
    question: 'who-talked-to-network',
    events: [
      close(1, { peer_address: v4('198.51.100.1'), bytes_sent: 1 }),
      close(2, { peer_address: v4('198.51.100.255'), bytes_received: 2 }),
      close(3, { peer_address: v4('198.51.101.0') }),
      close(4, { peer_address: '2001:db8:1::1' }),
    ],
    decoysInTime: false,
    asks: [
      {
        args: ['--network', '198.51.100.0/24'],
        columns:
          'host_name executable role service_port peers first_ts last_ts connections bytes_sent bytes_received',
        rows: [['who-talked-to-network-a', CURL, 'client', 443, 2, at(1), at(2), 2, 1, 2]],
      },
      {
        args: ['--network', '2001:db8::/32'],
        rows: [['who-talked-to-network-a', CURL, 'client', 443, 1, at(4), at(4), 1, 0, 0]],
      },
    ],
  },
  {
    question: 'peer-by-day',
    events: [
      close(1 - DAY_MINUTES, { peer_address: BAD, bytes_sent: 3 }),
      close(2, { peer_address: BAD, bytes_sent: 1, bytes_received: 1 }),
      fail(3, { host: 'b', peer_address: BAD }),
      close(4),
    ],
    decoysInTime: false,
    asks: [
      {
        args: ['--address', '203.0.113.80'],
        since: '6d',
        columns: 'day connections failures bytes hosts',
        rows: [
          [day(0), 2, 1, 2, 2],
          [day(-DAY_MINUTES), 1, 0, 3, 1],
        ],
      },
      { args: ['--address', '203.0.113.80'], since: '6d', limit: 1, rows: [[day(0), 2, 1, 2, 2]] },
    ],
  },
  {
    question: 'new-peers',
    events: [
      // Known to a server, and to tcptrail itself, alone.
      close(7 - DAY_MINUTES, server(80, { peer_address: BAD })),
      close(8 - DAY_MINUTES, { peer_address: BAD, own: true }),
      close(1, { peer_address: BAD, bytes_sent: 50 }),
      fail(2, { host: 'b', executable: '/usr/bin/wget', peer_address: BAD, peer_port: 80 }),
      // Known since yesterday, since this morning, and met only after the window.
      close(3),
      close(4 - DAY_MINUTES),
      close(-30, { peer_address: v4('10.9.0.2') }),
      close(5, { peer_address: v4('10.9.0.2') }),
      close(61, { peer_address: v4('10.9.0.3') }),
      close(6, server(80, { peer_address: v4('10.9.0.4') })),
      listener('listen', 7, 80),
    ],
    decoysInTime: false,
    asks: [
      {
        columns:
          'peer_address first_ts last_ts host_names executables service_ports connections failures bytes',
        rows: [
          [BAD, at(1), at(2), ['new-peers-a', 'new-peers-b'], [CURL, '/usr/bin/wget'], [80, 443], 2, 1, 50],
        ],
      },
      {
        args: ['--role', 'server'],
        rows: [[v4('10.9.0.4'), at(6), at(6), ['new-peers-a'], [NGINX], [80], 1, 0, 0]],
      },
    ],
  },
  {
    question: 'rare-peers',
    events: [
      close(7, server(80, { peer_address: v4('10.9.0.9') })),
      close(1, { peer_address: BAD, bytes_sent: 9 }),
      close(2, { peer_address: BAD, peer_port: 80 }),
      close(3),
      close(4, { host: 'b' }),
      close(5, { peer_address: v4('10.9.0.2') }),
      close(6, { peer_address: v4('10.9.0.2'), executable: '/usr/bin/wget' }),
    ],
    decoysInTime: false,
    asks: [
      {
        columns: 'peer_address only_host_name only_executable service_ports connections bytes first_ts',
        rows: [[BAD, 'rare-peers-a', CURL, [80, 443], 2, 9, at(1)]],
      },
    ],
  },
  {
    question: 'vanished-peers',
    events: [
      close(3, { own: true }),
      close(4, server(443)),
      ...[1, 2, 3].map((days) => close(-days * DAY_MINUTES, server(25))),
      ...[1, 2, 3].map((days) => close(-days * DAY_MINUTES)),
      // Still there, and not there often enough.
      ...[0, 1, 2, 3].map((days) => close(1 - days * DAY_MINUTES, { peer_port: 80 })),
      ...[1, 2].map((days) => close(2 - days * DAY_MINUTES, { peer_port: 22 })),
    ],
    decoysInTime: false,
    asks: [
      {
        columns: 'host_name executable peer_address service_port days_seen last_ts connections',
        rows: [['vanished-peers-a', CURL, PEER, 443, 3, at(-DAY_MINUTES), 3]],
      },
      {
        args: ['--days', '2', '--days-min', '2'],
        rows: [
          ['vanished-peers-a', CURL, PEER, 22, 2, at(2 - DAY_MINUTES), 2],
          ['vanished-peers-a', CURL, PEER, 443, 2, at(-DAY_MINUTES), 2],
        ],
      },
    ],
  },
  {
    question: 'most-peers',
    events: [
      ...times(9, (index) => close(1, { peer_address: v4(`10.9.1.${index}`), peer_port: 100 + (index % 3) })),
      fail(2, { host: 'b', executable: '/usr/bin/wget' }),
      summary(3, { host: 'b', executable: '/usr/bin/wget', connections: 50 }),
      close(4, server(80)),
    ],
    asks: [
      {
        columns: 'host_name executable peers connections failures service_ports',
        rows: [
          ['most-peers-a', CURL, 9, 9, 0, 3],
          ['most-peers-b', '/usr/bin/wget', 1, 51, 1, 1],
        ],
      },
      { args: ['--role', 'server'], rows: [['most-peers-a', NGINX, 1, 1, 0, 1]] },
    ],
  },
  {
    question: 'new-programs',
    events: [
      close(1, { executable: '/opt/new' }),
      fail(2, { executable: '/opt/new', peer_port: 80, peer_address: BAD }),
      close(3),
      close(4 - DAY_MINUTES),
      close(-30, { executable: '/opt/morning' }),
      close(5, { executable: '/opt/morning' }),
      close(6, { executable: '' }),
      listener('listen', 7, 443, { executable: '/opt/new' }),
    ],
    decoysInTime: false,
    asks: [
      {
        columns: 'host_name executable first_ts connections peers service_ports',
        rows: [['new-programs-a', '/opt/new', at(1), 2, 2, [80, 443]]],
      },
      {
        since: iso(-60),
        rows: [
          ['new-programs-a', '/opt/morning', at(-30), 2, 1, [443]],
          ['new-programs-a', '/opt/new', at(1), 2, 2, [80, 443]],
        ],
      },
    ],
  },
  {
    question: 'new-services',
    events: [
      close(-30, server(9_000)),
      close(1, server(8_080, { peer_address: v4('10.1.0.1') })),
      close(2, server(8_080, { peer_address: v4('10.1.0.2') })),
      close(3, server(80)),
      close(4 - DAY_MINUTES, server(80)),
      // A port where nobody came, and one that was called, not offered.
      listener('listen', 5, 81),
      close(5 - DAY_MINUTES, { peer_port: 8_080 }),
    ],
    decoysInTime: false,
    asks: [
      {
        columns: 'host_name service_port executable first_ts connections clients',
        rows: [['new-services-a', 8_080, NGINX, at(1), 2, 2]],
      },
    ],
  },
];

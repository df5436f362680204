/** Scenes about what fails, is refused, or never becomes a connection. */
import { at, bin, close, event, fail, listener, type Scene, server, summary, times, v4 } from '../scene.ts';

const CURL = '/usr/bin/curl';
const NGINX = '/usr/sbin/nginx';
const TIMED_OUT = { verdict: 'timed_out', errno: 110 };

export const FAILURES: readonly Scene[] = [
  {
    question: 'failures-by-errno',
    events: [
      fail(1),
      fail(2, { host: 'b', executable: '/usr/bin/wget' }),
      fail(3, { peer_port: 80 }),
      fail(4, { peer_port: 80 }),
      fail(5, { ...TIMED_OUT, peer_port: 5_432 }),
      fail(6, { verdict: 'denied', errno: 126 }),
      close(7),
    ],
    asks: [
      {
        columns: 'verdict errno error failures hosts executables some_ports',
        rows: [
          ['refused', 111, 'ECONNREFUSED', 4, 2, 2, [80, 443]],
          ['timed_out', 110, 'ETIMEDOUT', 1, 1, 1, [5_432]],
          ['denied', 126, '126', 1, 1, 1, [443]],
        ],
      },
      { limit: 1, rows: [['refused', 111, 'ECONNREFUSED', 4, 2, 2, [80, 443]]] },
    ],
  },
  {
    question: 'how-connections-end',
    events: [
      close(1, { start: 0 }),
      summary(2, { connections: 2, duration_us: 30e6 }),
      fail(3),
      event('open', 4),
    ],
    asks: [
      {
        columns: 'verdict connections percent duration_us_mean',
        rows: [
          ['closed_local', 3, 75, 30e6],
          ['refused', 1, 25, 0],
        ],
      },
    ],
  },
  {
    question: 'failing-services',
    events: [
      ...times(2, () => fail(11, server(8_080))),
      summary(1, { connections: 15 }),
      ...times(5, (index) => fail(2 + index)),
      fail(8, { peer_port: 80 }),
      close(9, { peer_port: 80 }),
      // Nothing of it failed.
      summary(10, { peer_port: 22, connections: 50 }),
    ],
    asks: [
      {
        columns: 'host_name executable service_port connections failures percent_failed',
        rows: [['failing-services-a', CURL, 443, 20, 5, 25]],
      },
      {
        args: ['--connections-min', '2'],
        rows: [
          ['failing-services-a', CURL, 80, 2, 1, 50],
          ['failing-services-a', CURL, 443, 20, 5, 25],
        ],
      },
    ],
  },
  {
    question: 'failed-peers',
    events: [
      fail(6, server(8_081)),
      fail(1),
      fail(2, { host: 'b' }),
      close(3),
      fail(4, { peer_address: '2001:db8::1', peer_port: 80 }),
      close(5, { peer_address: v4('10.9.0.7') }),
    ],
    decoysInTime: false,
    asks: [
      {
        columns: 'peer_address service_port failures connections hosts last_ts',
        rows: [
          [v4('10.9.0.1'), 443, 2, 3, 2, at(3)],
          ['2001:db8::1', 80, 1, 1, 1, at(4)],
        ],
      },
    ],
  },
  {
    question: 'half-open-floods',
    events: [
      ...times(100, (index) => event('half_open', 7, server(80, { peer_address: v4(`10.2.0.${index}`) }))),
      close(8, server(80)),
      ...times(3, () => event('half_open', 21, server(25))),
    ],
    asks: [
      {
        columns: 'bin host_name service_port half_open connections',
        rows: [[bin(5), 'half-open-floods-a', 80, 100, 1]],
      },
      {
        args: ['--half-open-min', '3'],
        rows: [
          [bin(5), 'half-open-floods-a', 80, 100, 1],
          [bin(20), 'half-open-floods-a', 25, 3, 0],
        ],
      },
    ],
  },
  {
    question: 'half-open-peers',
    events: [
      event('half_open', 1, server(80, { attempts: 5 })),
      event('half_open', 2, server(80, { attempts: 3 })),
      event('half_open', 3, server(25, { peer_address: v4('10.9.0.2'), attempts: 1 })),
      close(4, server(80)),
    ],
    asks: [
      {
        columns: 'peer_address host_name local_port reports attempts first_ts last_ts',
        rows: [
          [v4('10.9.0.1'), 'half-open-peers-a', 80, 2, 8, at(1), at(2)],
          [v4('10.9.0.2'), 'half-open-peers-a', 25, 1, 1, at(3), at(3)],
        ],
      },
    ],
  },
  {
    question: 'knocks-on-closed-ports',
    events: [
      ...[81, 82, 82].map((port, index) => knock(1 + index, port)),
      ...times(4, (index) => knock(10 + index, 99, { peer_address: v4('10.9.0.2') })),
      // A reset of a socket, one that came in, and one that answered no SYN.
      knock(20, 80, { socket_cookie: 5 }),
      knock(21, 80, { reset_direction: 'received' }),
      knock(22, 80, { state: 'unknown' }),
    ],
    asks: [
      {
        columns: 'peer_address host_name knocks ports some_ports first_ts last_ts',
        rows: [
          [v4('10.9.0.1'), 'knocks-on-closed-ports-a', 3, 2, [81, 82], at(1), at(3)],
          [v4('10.9.0.2'), 'knocks-on-closed-ports-a', 4, 1, [99], at(10), at(13)],
        ],
      },
    ],
  },
  {
    question: 'port-scans',
    events: [
      ...times(20, (index) => fail(1, { pid: 7, peer_port: 100 + index, uid: 33 })),
      fail(2, { pid: 7, peer_port: 100, uid: 33 }),
      ...times(5, (index) => fail(3, { pid: 8, peer_address: v4(`10.9.1.${index}`) })),
      // What succeeds is no scan.
      ...times(30, (index) => close(4, { pid: 9, peer_port: 100 + index })),
    ],
    asks: [
      {
        columns: 'host_name pid executable uid targets addresses ports failures first_ts last_ts',
        rows: [['port-scans-a', 7, CURL, 33, 20, 1, 20, 21, at(1), at(2)]],
      },
      {
        args: ['--targets-min', '5'],
        rows: [
          ['port-scans-a', 7, CURL, 33, 20, 1, 20, 21, at(1), at(2)],
          ['port-scans-a', 8, CURL, 0, 5, 5, 1, 5, at(3), at(3)],
        ],
      },
    ],
  },
  {
    question: 'unaccepted',
    events: [
      close(4, { verdict: 'unaccepted', peer_port: 80 }),
      close(1, server(80, { verdict: 'unaccepted' })),
      summary(2, { ...server(80), pid: 0, connections: 3 }),
      close(3, server(22)),
    ],
    asks: [
      {
        columns: 'host_name service_port unaccepted connections percent',
        rows: [['unaccepted-a', 80, 1, 4, 25]],
      },
    ],
  },
  {
    question: 'listener-drops',
    events: [
      listener('listener', -10, 80, { listen_drops: 1, accept_queue_max: 128 }),
      listener('listener', 5, 85, { own: true, accept_queue: 9, accept_queue_max: 5 }),
      close(6, server(86)),
      listener('listen', 1, 80, { listen_drops: 10, accept_queue_max: 128 }),
      listener('listener', 2, 80, { listen_drops: 25, accept_queue: 100, accept_queue_max: 128 }),
      // Its queue was full, and nothing was dropped yet.
      listener('listener', 3, 81, { accept_queue: 5, accept_queue_max: 5 }),
      // An idle one of listen(fd, 0), and one with a connection that waits.
      listener('listener', 3, 83, { accept_queue: 0, accept_queue_max: 0 }),
      listener('listener', 3, 84, { accept_queue: 1, accept_queue_max: 0 }),
      listener('listener', 4, 82, { listen_drops: 7, accept_queue: 1, accept_queue_max: 5 }),
    ],
    asks: [
      {
        columns: 'host_name executable local_address local_port drops accept_queue_most accept_queue_max',
        rows: [
          ['listener-drops-a', NGINX, v4('10.0.0.1'), 80, 15, 100, 128],
          ['listener-drops-a', NGINX, v4('10.0.0.1'), 81, 0, 5, 5],
          ['listener-drops-a', NGINX, v4('10.0.0.1'), 84, 0, 1, 0],
        ],
      },
    ],
  },
];

function knock(minute: number, local_port: number, fields = {}): Readonly<Record<string, unknown>> {
  const reset = { reset_direction: 'sent', state: 'closed', socket_cookie: 0, role: 'unknown', local_port };
  return event('reset', minute, { ...reset, ...fields });
}

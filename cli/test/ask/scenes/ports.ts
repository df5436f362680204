/** Scenes about ports: which are listened on for nobody, and which run out. */
import {
  at,
  close,
  DAY_MINUTES,
  event,
  fail,
  listener,
  type Scene,
  server,
  summary,
  times,
  v4,
} from '../scene.ts';

const NGINX = '/usr/sbin/nginx';

export const PORTS: readonly Scene[] = [
  {
    question: 'unused-listeners',
    decoysInTime: false,
    events: [
      listener('listen', 1, 90, { own: true }),
      // Used a day earlier.
      close(-DAY_MINUTES, server(80)),
      event('reset', 8, server(84)),
      close(5, server(84, { own: true })),
      event('open', 5, server(84, { own: true })),
      close(5, { peer_port: 84 }),
      listener('listen', 1, 80),
      listener('listener', 30, 80),
      // Used, given up, and used by one that lives.
      listener('listen', 2, 81),
      close(3, server(81)),
      listener('listen', 4, 82),
      listener('unlisten', 5, 82),
      // Of an earlier boot, and one that the newest kernel state did not find.
      listener('listen', 2, 85, { boot_id: 'earlier' }),
      listener('listen', 2, 86, { kernel_epoch: at(-100) }),
      // In two namespaces, one of which is used.
      listener('listen', 3, 8_080, { network_namespace: 1, socket_cookie: 801 }),
      listener('listen', 4, 8_080, { network_namespace: 2, socket_cookie: 802 }),
      close(5, server(8_080, { network_namespace: 1 })),
      event('half_open', 6, server(8_080, { network_namespace: 2 })),
      // By two sockets, which began before the window.
      listener('listen', -DAY_MINUTES, 87, { socket_cookie: 871 }),
      listener('listen', 9, 87, { socket_cookie: 872, executable: '/opt/new' }),
      listener('listen', 6, 83),
      event('open', 7, server(83)),
      // A handshake alone is no use of it.
      listener('listen', 8, 84),
      event('half_open', 9, server(84)),
    ],
    batches: [
      { minute: -120, boot_id: 'earlier', heartbeat: true },
      { minute: 10, kernel_epoch: at(-100), heartbeat: true },
      { minute: 55, heartbeat: true, older_told: true },
    ],
    asks: [
      {
        columns: 'host_name network_namespace local_address local_port executable first_ts last_ts',
        rows: [
          ['unused-listeners-a', 0, v4('10.0.0.1'), 80, NGINX, at(1), at(30)],
          ['unused-listeners-a', 0, v4('10.0.0.1'), 84, NGINX, at(8), at(8)],
          ['unused-listeners-a', 0, v4('10.0.0.1'), 87, '/opt/new', at(-DAY_MINUTES), at(9)],
          ['unused-listeners-a', 2, v4('10.0.0.1'), 8_080, NGINX, at(4), at(4)],
        ],
      },
    ],
  },
  {
    question: 'port-exhaustion',
    events: [
      close(6, server(50_011, { peer_port: 443 })),
      ...times(3, (index) => close(1, { local_port: 50_000 + index })),
      close(2, { local_port: 50_000 }),
      fail(3, { peer_port: 80, local_port: 0, verdict: 'addr_not_avail', errno: 99 }),
      close(4, { peer_port: 22 }),
    ],
    asks: [
      {
        columns:
          'host_name local_address peer_address peer_port local_ports still_open folded connections without_port',
        rows: [['port-exhaustion-a', v4('10.0.0.1'), v4('10.9.0.1'), 80, 0, 0, 0, 1, 1]],
      },
      {
        args: ['--ports-min', '3'],
        rows: [
          ['port-exhaustion-a', v4('10.0.0.1'), v4('10.9.0.1'), 443, 3, 0, 0, 4, 0],
          ['port-exhaustion-a', v4('10.0.0.1'), v4('10.9.0.1'), 80, 0, 0, 0, 1, 1],
        ],
      },
    ],
  },
  {
    // What holds a port without an end, and what was folded.
    question: 'port-exhaustion',
    decoysInTime: false,
    events: [
      ...times(3, (index) => open(5, { local_port: 50_000 + index, socket_cookie: 1 + index })),
      open(6, { local_port: 50_002, socket_cookie: 3 }),
      open(7, { local_port: 50_003, socket_cookie: 4 }),
      close(8, { host: 'b', start: 6, local_port: 50_003, socket_cookie: 4 }),
      summary(9, { host: 'b', local_port: 0, connections: 7 }),
      // Quiet in the window: an hour before it, one that ended since, one of an earlier boot, and one out of reach.
      open(-60, { local_port: 50_004, socket_cookie: 5 }),
      open(-60, { local_port: 50_005, socket_cookie: 6 }),
      close(-30, { host: 'b', start: -61, local_port: 50_005, socket_cookie: 6 }),
      open(-60, { local_port: 50_006, socket_cookie: 7, boot_id: 'earlier' }),
      open(-361, { local_port: 50_007, socket_cookie: 8 }),
      // Ended while no agent ran: the next state did not find it.
      open(-60, { local_port: 50_008, socket_cookie: 9, kernel_epoch: at(-100) }),
      // Told of and ended below half a second.
      open(10, { start: 10 - 1 / 600, local_port: 50_009, socket_cookie: 10 }),
      close(10.001, { host: 'b', start: 10 - 1 / 600, local_port: 50_009, socket_cookie: 10 }),
    ],
    batches: [
      { host: 'b', minute: -60, boot_id: 'earlier', heartbeat: true },
      { host: 'b', minute: -50, kernel_epoch: at(-100), heartbeat: true },
      { host: 'b', minute: 1, heartbeat: true, older_told: true },
    ],
    asks: [
      {
        args: ['--ports-min', '6'],
        rows: [['port-exhaustion-b', v4('10.0.0.1'), v4('10.9.0.1'), 443, 6, 4, 7, 9, 0]],
      },
      {
        args: ['--ports-min', '6', '--hours', '7'],
        rows: [['port-exhaustion-b', v4('10.0.0.1'), v4('10.9.0.1'), 443, 7, 5, 7, 9, 0]],
      },
      { args: ['--ports-min', '6', '--hours', '0'], rows: [] },
    ],
  },
];

function open(minute: number, fields = {}): Readonly<Record<string, unknown>> {
  return event('open', minute, { host: 'b', start: minute - 1, ...fields });
}

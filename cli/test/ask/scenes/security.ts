/** Scenes about what a security analyst looks for. */
import { at, close, event, fail, listener, type Scene, server, summary, v4 } from '../scene.ts';

const CURL = '/usr/bin/curl';
const NGINX = '/usr/sbin/nginx';
const OUTSIDE = v4('203.0.113.80');
const PEER = v4('10.9.0.1');

const VARIANTS = [
  ...['sh', 'python3', 'python3.11', 'python3.13t', 'python3.11-dbg', 'perl5.36.0', 'lua5.4', 'luajit-2.1.0'],
  ...[
    'nc.traditional',
    'busybox.static',
    'bash-static',
    'zsh5-static',
    'ksh93',
    'php8.2',
    'tclsh8.6',
    'sh.distrib',
  ],
];

export const SECURITY: readonly Scene[] = [
  {
    question: 'uploads-outside',
    events: [
      close(1, { peer_address: OUTSIDE, bytes_sent: 500, bytes_received: 1 }),
      summary(2, { peer_address: '2001:db8::1', connections: 4, bytes_sent: 900 }),
      // Inside, carrier NAT, nothing sent, and served.
      close(3, { bytes_sent: 5_000 }),
      close(4, { peer_address: v4('100.64.0.1'), bytes_sent: 5_000 }),
      close(5, { peer_address: v4('203.0.113.81'), bytes_received: 5_000 }),
      close(6, server(80, { peer_address: OUTSIDE, bytes_sent: 5_000 })),
    ],
    decoysInTime: false,
    asks: [
      {
        columns: 'host_name executable peer_address service_port connections bytes_sent bytes_received',
        rows: [
          ['uploads-outside-a', CURL, '2001:db8::1', 443, 4, 900, 0],
          ['uploads-outside-a', CURL, OUTSIDE, 443, 1, 500, 1],
        ],
      },
      {
        args: ['--networks', '203.0.113.0/24,2001:db8::/32,100.64.0.0/10'],
        rows: [['uploads-outside-a', CURL, PEER, 443, 1, 5_000, 0]],
      },
    ],
  },
  {
    question: 'served-outside',
    events: [
      close(1, server(80, { peer_address: OUTSIDE, bytes_sent: 3 })),
      close(2, server(80, { peer_address: v4('203.0.113.81'), bytes_sent: 4 })),
      close(3, server(22, { peer_address: OUTSIDE, executable: '/usr/sbin/sshd' })),
      close(4, server(80)),
      listener('listen', 5, 80),
      close(5, { peer_address: OUTSIDE }),
    ],
    decoysInTime: false,
    asks: [
      {
        columns: 'host_name executable service_port clients connections bytes_sent',
        rows: [
          ['served-outside-a', NGINX, 80, 2, 2, 7],
          ['served-outside-a', '/usr/sbin/sshd', 22, 1, 1, 0],
        ],
      },
      { args: ['--networks', '203.0.113.0/24'], rows: [['served-outside-a', NGINX, 80, 1, 1, 0]] },
    ],
  },
  {
    question: 'unencrypted-services',
    events: [
      // Open still; and one that ended after it was told of.
      event('open', 6, { peer_port: 21, socket_cookie: 1 }),
      event('update', 7, { peer_port: 21, socket_cookie: 1, bytes_sent: 9 }),
      event('open', 1, { peer_port: 23, socket_cookie: 2 }),
      close(2, { peer_port: 23, socket_cookie: 2, bytes_sent: 4 }),
      event('open', 6, { peer_port: 443, socket_cookie: 3, peer_address: v4('10.9.0.2') }),
      event('open', 6, server(80)),
      close(1, { peer_port: 23, bytes_sent: 2, bytes_received: 3 }),
      close(2, { peer_port: 80, executable: '/usr/bin/wget' }),
      summary(3, { peer_port: 80, executable: '/usr/bin/wget', connections: 6 }),
      close(4),
      close(5, server(80)),
    ],
    decoysInTime: false,
    asks: [
      {
        columns: 'service_port host_name executable connections peers bytes last_ts',
        rows: [
          [80, 'unencrypted-services-a', '/usr/bin/wget', 7, 1, 0, at(3)],
          [23, 'unencrypted-services-a', CURL, 2, 1, 9, at(2)],
          [21, 'unencrypted-services-a', CURL, 0, 1, 0, at(7)],
        ],
      },
      { args: ['--ports', '443'], rows: [[443, 'unencrypted-services-a', CURL, 1, 2, 0, at(6)]] },
    ],
  },
  {
    question: 'remote-logins',
    events: [
      close(1, { peer_port: 22, executable: '/usr/bin/ssh' }),
      fail(2, { peer_port: 22, executable: '/usr/bin/scp' }),
      close(3, server(22, { executable: '/usr/sbin/sshd' })),
      listener('listener', 4, 22),
      close(4),
    ],
    decoysInTime: false,
    asks: [
      {
        columns: 'host_name role peer_address service_port first_ts last_ts connections failures executables',
        rows: [
          ['remote-logins-a', 'server', PEER, 22, at(3), at(3), 1, 0, ['/usr/sbin/sshd']],
          ['remote-logins-a', 'client', PEER, 22, at(1), at(2), 2, 1, ['/usr/bin/scp', '/usr/bin/ssh']],
        ],
      },
      {
        args: ['--ports', '443,444'],
        rows: [['remote-logins-a', 'client', PEER, 443, at(4), at(4), 1, 0, [CURL]]],
      },
    ],
  },
  {
    question: 'programs-in-odd-places',
    events: [
      close(1, { executable: '/tmp/.x/miner' }),
      close(2, { executable: '/tmp/.x/miner', peer_port: 80, peer_address: v4('10.9.0.2') }),
      close(3, { executable: '/memfd:x' }),
      close(4, { executable: '/home/me/tmp/tool' }),
      close(5, { executable: '/tmpl/tool' }),
      // Open still, and one that waits for a connection.
      event('open', 6, { executable: '/dev/shm/x' }),
      listener('listen', 7, 81, { executable: '/var/tmp/x' }),
      close(5),
    ],
    decoysInTime: false,
    asks: [
      {
        columns: 'host_name executable role connections peers service_ports last_ts',
        rows: [
          ['programs-in-odd-places-a', '/tmp/.x/miner', 'client', 2, 2, [80, 443], at(2)],
          ['programs-in-odd-places-a', '/memfd:x', 'client', 1, 1, [443], at(3)],
          ['programs-in-odd-places-a', '/dev/shm/x', 'client', 0, 1, [443], at(6)],
          ['programs-in-odd-places-a', '/var/tmp/x', 'server', 0, 0, [81], at(7)],
        ],
      },
    ],
  },
  {
    question: 'shells-that-connect',
    events: [
      close(5, {
        start: 1,
        executable: '/bin/bash',
        pid: 7,
        uid: 33,
        parent_executable: NGINX,
        peer_port: 4_444,
      }),
      close(6, { executable: '/bin/bash', pid: 7, uid: 33, parent_executable: NGINX, peer_port: 4_444 }),
      close(7, { executable: '/usr/bin/bashful' }),
      close(8, { ...server(80), executable: '/usr/bin/nc' }),
    ],
    asks: [
      {
        columns:
          'host_name executable pid uid parent_executable peer_address peer_port connections without_end first_start_ts last_ts duration_us_max',
        rows: [
          ['shells-that-connect-a', '/bin/bash', 7, 33, NGINX, PEER, 4_444, 2, 0, at(1), at(6), 4 * 60e6],
        ],
      },
      {
        args: ['--names', 'bashful'],
        rows: [['shells-that-connect-a', '/usr/bin/bashful', 100, 0, '', PEER, 443, 1, 0, at(7), at(7), 0]],
      },
    ],
  },
  {
    // What still is open, however quiet.
    question: 'shells-that-connect',
    decoysInTime: false,
    events: [
      close(30, { host: 'b', executable: '/usr/bin/perl5.36-x86_64-linux-gnu' }),
      shell(2, 1),
      event('update', 9, { ...shell(2, 1), ts: at(9), duration_us: 8 * 60e6 }),
      shell(3, 2, { pid: 8 }),
      close(4, { host: 'b', start: 2, executable: '/usr/bin/python3.11', pid: 8, socket_cookie: 2 }),
      // Before the window: open since three days, ended, of an earlier boot, and out of reach.
      shell(-2_880, 3, { executable: '/usr/bin/nc.openbsd' }),
      shell(-60, 4),
      close(-30, { host: 'b', start: -61, executable: '/usr/bin/python3.11', socket_cookie: 4 }),
      shell(-60, 5, { boot_id: 'earlier' }),
      shell(-4_330, 6, { executable: '/usr/bin/socat1' }),
      // Its end lost the name: before the window, and in it.
      shell(-60, 7),
      close(-30, { host: 'b', start: -61, executable: '', socket_cookie: 7 }),
      shell(5, 8, { executable: '/usr/bin/ruby' }),
      close(6, { host: 'b', start: 4, executable: '', socket_cookie: 8 }),
      // In the window, and the host was booted since.
      shell(0.5, 9, { executable: '/usr/bin/lua', boot_id: 'earlier' }),
      // Ended while no agent ran: the next kernel state did not find it.
      shell(-60, 10, { kernel_epoch: at(-100) }),
      // Told of and ended below half a second.
      shell(7, 11, { executable: '/usr/bin/gawk', start: 7 - 1 / 600 }),
      close(7.001, { host: 'b', start: 7 - 1 / 600, executable: '/usr/bin/gawk', socket_cookie: 11 }),
    ],
    batches: [
      { host: 'b', minute: 0.6, boot_id: 'earlier', heartbeat: true },
      { host: 'b', minute: -50, kernel_epoch: at(-100), heartbeat: true },
      { host: 'b', minute: 0.8, heartbeat: true, older_told: true },
    ],
    asks: [
      {
        args: ['--days', '3'],
        rows: [
          openShell('/usr/bin/python3.11', 1, at(9), 8),
          openShell('/usr/bin/nc.openbsd', -2_881, at(-2_880), 1),
          ['shells-that-connect-b', '/usr/bin/perl5.36-x86_64-linux-gnu', 100, 0, '', PEER, 443].concat([
            ...[1, 0, at(30), at(30), 0],
          ]),
          notOpen('/usr/bin/gawk', 100, [7 - 1 / 600, 7.001, 160_000]),
          notOpen('/usr/bin/ruby', 100, [4, 5, 60e6]),
          notOpen('/usr/bin/python3.11', 8, [2, 4, 2 * 60e6]),
          notOpen('/usr/bin/lua', 100, [-0.5, 0.5, 60e6]),
        ],
      },
      {
        args: ['--days', '3', '--names', 'python3,nc.openbsd'],
        rows: [openShell('/usr/bin/nc.openbsd', -2_881, at(-2_880), 1)],
      },
    ],
  },
  {
    // Versions and variants, and what only looks like one.
    question: 'shells-that-connect',
    events: [
      ...VARIANTS.map((name, index) =>
        close(1, { host: 'c', executable: `/usr/bin/${name}`, pid: 1 + index }),
      ),
      ...['php-fpm8.2', 'sh-agent', 'perlbrew', 'shred', 'k3s'].map((name) =>
        close(1, { host: 'c', executable: `/usr/bin/${name}` }),
      ),
    ],
    asks: [
      {
        rows: VARIANTS.map((name, index) => [
          ...[
            'shells-that-connect-c',
            `/usr/bin/${name}`,
            1 + index,
            0,
            '',
            PEER,
            443,
            1,
            0,
            at(1),
            at(1),
            0,
          ],
        ]),
      },
    ],
  },
];

function shell(minute: number, socket_cookie: number, fields = {}): Readonly<Record<string, unknown>> {
  const executable = '/usr/bin/python3.11';
  return event('open', minute, { host: 'b', start: minute - 1, executable, socket_cookie, ...fields });
}

function openShell(executable: string, start: number, last: string, minutes: number): readonly unknown[] {
  return [
    ...['shells-that-connect-b', executable, 100, 0, '', PEER, 443],
    ...[1, 1, at(start), last, minutes * 60e6],
  ];
}

function notOpen(
  executable: string,
  pid: number,
  [start, last, durationUs]: readonly [start: number, last: number, durationUs: number],
): readonly unknown[] {
  const times = [at(start), at(last), durationUs];
  return ['shells-that-connect-b', executable, pid, 0, '', PEER, 443, 1, 0, ...times];
}

/** Scenes about the path: what is sent again, how long it takes, who resets. */
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
const PEER = v4('10.9.0.1');

export const LOSS: readonly Scene[] = [
  {
    question: 'retransmits-against-last-week',
    events: [
      close(61, { data_segs_out: 5_000, total_retrans: 5_000 }),
      close(1, { data_segs_out: 1_500, total_retrans: 90 }),
      close(2, { data_segs_out: 500, total_retrans: 10 }),
      close(3 - DAY_MINUTES, { data_segs_out: 4_000, total_retrans: 40 }),
      close(4, { host: 'b', data_segs_out: 1_000 }),
      close(5, { peer_port: 80, data_segs_out: 10, total_retrans: 10 }),
      close(6 - DAY_MINUTES, { peer_port: 80, data_segs_out: 5 }),
    ],
    decoysInTime: false,
    asks: [
      {
        args: ['--days', '1'],
        columns: 'hour host_name role service_port data_segs_out percent percent_before percent_more',
        rows: [
          [bin(0), 'retransmits-against-last-week-a', 'client', 443, 2_000, 5, 1, 4],
          [bin(0), 'retransmits-against-last-week-b', 'client', 443, 1_000, 0, null, null],
        ],
      },
      {
        args: ['--days', '1', '--segments-min', '10'],
        rows: [
          [bin(0), 'retransmits-against-last-week-a', 'client', 443, 2_000, 5, 1, 4],
          [bin(0), 'retransmits-against-last-week-a', 'client', 80, 10, 100, null, null],
          [bin(0), 'retransmits-against-last-week-b', 'client', 443, 1_000, 0, null, null],
        ],
      },
      {
        // The hour that has only begun is not told.
        until: iso(90),
        args: ['--segments-min', '10'],
        rows: [
          [bin(0), 'retransmits-against-last-week-a', 'client', 80, 10, 100, null, null],
          [bin(0), 'retransmits-against-last-week-a', 'client', 443, 2_000, 5, null, null],
          [bin(0), 'retransmits-against-last-week-b', 'client', 443, 1_000, 0, null, null],
        ],
      },
    ],
  },
  {
    question: 'retransmit-rate-by-hour',
    events: [
      event('half_open', 71, server(80)),
      close(1, { data_segs_out: 100, total_retrans: 2 }),
      close(70, { data_segs_out: 300, total_retrans: 3 }),
      close(2, server(80, { data_segs_out: 50 })),
      fail(3),
    ],
    asks: [
      {
        until: iso(120),
        columns: 'bin role data_segs_out total_retrans percent',
        rows: [
          [bin(60), 'client', 300, 3, 1],
          [bin(0), 'client', 100, 2, 2],
          [bin(0), 'server', 50, 0, 0],
        ],
      },
      { until: iso(120), limit: 1, rows: [[bin(60), 'client', 300, 3, 1]] },
    ],
  },
  {
    question: 'retransmit-paths',
    events: [
      close(1, { data_segs_out: 150, total_retrans: 3 }),
      close(2, { data_segs_out: 50, total_retrans: 1 }),
      close(3, { peer_address: v4('10.9.0.2'), data_segs_out: 50, total_retrans: 25 }),
      close(4, { peer_address: v4('10.9.0.3'), data_segs_out: 500 }),
      event('update', 5, { data_segs_out: 1_000, total_retrans: 1_000 }),
    ],
    asks: [
      {
        columns: 'host_name peer_address data_segs_out total_retrans percent connections',
        rows: [['retransmit-paths-a', PEER, 200, 4, 2, 2]],
      },
      {
        args: ['--segments-min', '50'],
        rows: [
          ['retransmit-paths-a', v4('10.9.0.2'), 50, 25, 50, 1],
          ['retransmit-paths-a', PEER, 200, 4, 2, 2],
        ],
      },
    ],
  },
  {
    question: 'retransmit-causes',
    events: [
      event('update', 4, { total_retrans: 9, retrans_other: 9 }),
      close(1, { total_retrans: 6, retrans_rto: 4, retrans_fast: 2 }),
      fail(2, { total_retrans: 2, retrans_syn: 2 }),
      close(3),
    ],
    asks: [
      {
        columns: 'cause segments percent',
        rows: [
          ['rto', 4, 50],
          ['fast', 2, 25],
          ['syn', 2, 25],
        ],
      },
    ],
  },
  {
    question: 'resets-by-service',
    events: [
      summary(1, { connections: 18 }),
      close(2, { verdict: 'reset_sent' }),
      close(3, { verdict: 'reset_received' }),
      close(4, { peer_port: 80, verdict: 'reset_received' }),
      // The report of a reset is no connection.
      event('reset', 5, { reset_direction: 'sent' }),
    ],
    asks: [
      {
        columns: 'host_name executable role service_port reset_sent reset_received connections percent',
        rows: [['resets-by-service-a', CURL, 'client', 443, 1, 1, 20, 10]],
      },
      {
        args: ['--connections-min', '1'],
        rows: [
          ['resets-by-service-a', CURL, 'client', 80, 0, 1, 1, 100],
          ['resets-by-service-a', CURL, 'client', 443, 1, 1, 20, 10],
        ],
      },
    ],
  },
  {
    question: 'reset-reasons',
    events: [
      event('reset', 1, { reset_direction: 'sent', reset_reason: 'NO_SOCKET', local_port: 81 }),
      event('reset', 2, { host: 'b', reset_direction: 'sent', reset_reason: 'NO_SOCKET', local_port: 81 }),
      event('reset', 3, { reset_direction: 'received', local_port: 50_001 }),
      close(4, { verdict: 'reset_sent' }),
    ],
    asks: [
      {
        columns: 'reset_direction reset_reason resets hosts some_local_ports',
        rows: [
          ['sent', 'NO_SOCKET', 2, 2, [81]],
          ['received', '', 1, 1, [50_001]],
        ],
      },
    ],
  },
  {
    question: 'slow-handshakes',
    events: [
      close(1, { handshake_us: 300_000, min_rtt_us: 900 }),
      close(2, { handshake_us: 500_000, min_rtt_us: 0 }),
      summary(3, { connections: 3, handshake_us: 400_000, min_rtt_us: 800 }),
      close(4, { handshake_us: 199_999 }),
      close(5, server(80, { handshake_us: 200_000 })),
      // Told again by its end.
      event('open', 6, { handshake_us: 900_000 }),
    ],
    asks: [
      {
        columns:
          'host_name role peer_address service_port connections handshake_us_median handshake_us_max min_rtt_us',
        rows: [
          ['slow-handshakes-a', 'client', PEER, 443, 5, 400_000, 500_000, 800],
          ['slow-handshakes-a', 'server', PEER, 80, 1, 200_000, 200_000, 0],
        ],
      },
      {
        args: ['--over-us', '450000'],
        rows: [['slow-handshakes-a', 'client', PEER, 443, 1, 500_000, 500_000, 0]],
      },
    ],
  },
  {
    question: 'handshakes-by-hour',
    events: [
      fail(62),
      close(1, { handshake_us: 1_000 }),
      summary(2, { connections: 3, handshake_us: 2_000 }),
      // Refused: it never had one.
      fail(3),
      close(61, { host: 'b', handshake_us: 500 }),
      close(4, { peer_port: 80, handshake_us: 9_000 }),
      close(5, server(443, { handshake_us: 9_000 })),
    ],
    asks: [
      {
        until: iso(120),
        columns: 'bin host_name host_id handshakes handshake_us_mean',
        rows: [
          [bin(60), 'handshakes-by-hour-b', 'id-handshakes-by-hour-b', 1, 500],
          [bin(0), 'handshakes-by-hour-a', 'id-handshakes-by-hour-a', 4, 1_750],
        ],
      },
      {
        until: iso(120),
        limit: 1,
        rows: [[bin(60), 'handshakes-by-hour-b', 'id-handshakes-by-hour-b', 1, 500]],
      },
      {
        args: ['--service-port', '80'],
        rows: [[bin(0), 'handshakes-by-hour-a', 'id-handshakes-by-hour-a', 1, 9_000]],
      },
    ],
  },
  {
    question: 'rtt-by-service',
    events: [
      // 1,000 us lies from 512 to 1,023 and 5,000 us from 4,096 to 8,191.
      ...times(18, () => close(1, { rtt_us: 1_000 })),
      ...times(2, () => close(2, { rtt_us: 5_000 })),
      // Folded: from 4 to 7 us.
      summary(3, { ...server(80), pid: 0, connections: 12, rtt_us: 5, rtt_histogram: [0, 0, 12] }),
      close(4, { peer_port: 22, rtt_us: 90 }),
    ],
    asks: [
      {
        columns: 'role service_port samples rtt_us_p50_at_most rtt_us_p95_at_most rtt_us_p99_at_most',
        rows: [
          ['client', 443, 20, 1_023, 8_191, 8_191],
          ['server', 80, 12, 7, 7, 7],
        ],
      },
      {
        args: ['--samples-min', '1'],
        rows: [
          ['client', 443, 20, 1_023, 8_191, 8_191],
          ['client', 22, 1, 127, 127, 127],
          ['server', 80, 12, 7, 7, 7],
        ],
      },
    ],
  },
  {
    question: 'slow-transfers',
    events: [
      close(10, {
        start: 9,
        bytes_sent: 4_000_000,
        busy_time_us: 2_000_000,
        rwnd_limited_us: 1_000_000,
        sndbuf_limited_us: 200_000,
        total_retrans: 3,
      }),
      close(11, { bytes_sent: 2_000_000, busy_time_us: 4_000_000 }),
      close(12, { bytes_sent: 1_000, busy_time_us: 1_000_000 }),
    ],
    asks: [
      {
        columns:
          'ts host_name executable peer_address bytes_sent duration_us bytes_s percent_peer_window percent_send_buffer total_retrans',
        rows: [
          [at(11), 'slow-transfers-a', CURL, PEER, 2_000_000, 0, 500_000, 0, 0, 0],
          [at(10), 'slow-transfers-a', CURL, PEER, 4_000_000, 60e6, 2_000_000, 50, 10, 3],
        ],
      },
      {
        args: ['--bytes-min', '1000'],
        limit: 1,
        rows: [[at(12), 'slow-transfers-a', CURL, PEER, 1_000, 0, 1_000, 0, 0, 0]],
      },
    ],
  },
];

/** The fields of an event that count: payload, the kernel's own counters, retransmitted segments by cause. */
import { type Extra, type Field, kernel } from './field.ts';

export const counters = {
  kinds: ['open', 'fail', 'update', 'close', 'retransmit', 'summary'],
} satisfies Extra;
/** The same few values again and again, which only bytes that are left as they are show ZSTD. */
const plain = { ...counters, codec: 'ZSTD(1)' } satisfies Extra;
const same = { ...counters, summary: 'same' } satisfies Extra;
const zero = { ...counters, summary: 'zero' } satisfies Extra;
const sum = { ...counters, summary: 'sum' } satisfies Extra;
const mean = { ...counters, summary: 'mean' } satisfies Extra;
const least = { ...counters, summary: 'least' } satisfies Extra;

export const COUNTER_FIELDS: readonly Field[] = [
  // Exact payload figures.
  kernel('bytes_sent', 'u64', 'bytes', 'Payload handed to the network at least once.', sum),
  kernel('bytes_delivered', 'u64', 'bytes', 'Payload the peer acknowledged.', {
    ...sum,
    predicted: { plus: ['bytes_sent'] },
  }),
  kernel('bytes_unsent', 'u32', 'bytes', 'Payload written by the application and never sent.', zero),
  kernel('bytes_received', 'u64', 'bytes', 'Payload received in order.', sum),
  kernel(
    'bytes_unread',
    'u32',
    'bytes',
    'Payload received that the application never read; 0 while a process may still read it.',
    zero,
  ),
  kernel(
    'local_drop_bytes',
    'u64',
    'bytes',
    'First transmissions dropped on this host before they left it.',
    zero,
  ),

  // The kernel's own counters, tcp_info names.
  kernel(
    'tcp_bytes_sent',
    'u64',
    'bytes',
    'tcpi_bytes_sent: payload sent, retransmissions and local drops included.',
    { ...sum, predicted: { plus: ['bytes_sent', 'tcp_bytes_retrans'] } },
  ),
  kernel('tcp_bytes_retrans', 'u64', 'bytes', 'tcpi_bytes_retrans: payload sent again.', zero),
  kernel(
    'tcp_bytes_acked',
    'u64',
    'bytes',
    'tcpi_bytes_acked: sequence space acknowledged, SYN and FIN included.',
    { ...sum, predicted: { plus: ['bytes_delivered'] } },
  ),
  kernel(
    'tcp_bytes_received',
    'u64',
    'bytes',
    'tcpi_bytes_received: sequence space received, FIN included.',
    { ...sum, predicted: { plus: ['bytes_received'] } },
  ),
  kernel('segs_out', 'u32', 'segments', 'Segments sent.', sum),
  kernel('segs_in', 'u32', 'segments', 'Segments received.', sum),
  kernel('data_segs_out', 'u32', 'segments', 'Segments with payload sent.', sum),
  kernel('data_segs_in', 'u32', 'segments', 'Segments with payload received.', sum),
  kernel('total_retrans', 'u32', 'segments', 'Segments retransmitted, as the kernel counts them.', zero),
  kernel('lost', 'u32', 'segments', 'Segments now thought lost.', zero),
  kernel('unacked', 'u32', 'segments', 'Segments in flight.', counters),
  kernel('sacked', 'u32', 'segments', 'Segments in flight that were selectively acknowledged.', counters),
  kernel('retrans', 'u32', 'segments', 'Retransmitted segments in flight.', counters),
  kernel('delivered', 'u32', 'segments', 'Segments delivered.', {
    ...sum,
    predicted: { plus: ['data_segs_out'] },
  }),
  kernel('delivered_ce', 'u32', 'segments', 'Segments delivered with a congestion mark (ECN CE).', sum),
  kernel('reord_seen', 'u32', 'events', 'Times reordering was seen.', sum),
  kernel('rcv_ooopack', 'u32', 'segments', 'Segments received out of order.', sum),
  kernel('dsack_dups', 'u32', 'segments', 'Duplicates the peer reported (D-SACK).', sum),
  kernel('total_rto', 'u16', 'events', 'Retransmission timeouts (kernel 6.7 and later).', zero),
  kernel('total_rto_recoveries', 'u16', 'events', 'Recoveries by timeout (kernel 6.7 and later).', zero),
  kernel('total_rto_time_ms', 'u32', 'ms', 'Time in recovery by timeout (kernel 6.7 and later).', zero),
  kernel('rtt_us', 'u32', 'us', 'Smoothed round-trip time.', mean),
  kernel('rttvar_us', 'u32', 'us', 'Variation of the round-trip time.', mean),
  kernel(
    'min_rtt_us',
    'u32',
    'us',
    "Smallest round-trip time in the kernel's window; 0 before the first sample.",
    least,
  ),
  kernel('rcv_rtt_us', 'u32', 'us', "The receiver's estimate of the round-trip time.", counters),
  kernel('rto_us', 'u32', 'us', 'Retransmission timeout now.', plain),
  kernel('snd_cwnd', 'u32', 'segments', 'Congestion window.', counters),
  kernel('snd_ssthresh', 'u32', 'segments', 'Slow-start threshold; 2147483647 before the first loss.', plain),
  kernel('snd_mss', 'u32', 'bytes', 'Maximum segment size sent.', counters),
  kernel('rcv_mss', 'u32', 'bytes', 'Estimate of the maximum segment size received.', plain),
  kernel('advmss', 'u16', 'bytes', 'Maximum segment size announced.', counters),
  kernel('pmtu', 'u32', 'bytes', 'Path MTU.', counters),
  kernel('snd_wnd', 'u32', 'bytes', "The peer's receive window.", counters),
  kernel('rcv_wnd', 'u32', 'bytes', 'Receive window announced.', plain),
  kernel('rcv_space', 'u32', 'bytes', 'Receive buffer auto-tuning target.', plain),
  kernel('delivery_rate', 'u64', 'bytes/s', 'Most recent delivery rate.', plain),
  kernel('busy_time_us', 'u64', 'us', 'Time with data to send.', { ...plain, ...sum }),
  kernel('rwnd_limited_us', 'u64', 'us', "Time stalled by the peer's receive window.", sum),
  kernel('sndbuf_limited_us', 'u64', 'us', 'Time stalled by the send buffer.', sum),
  kernel('probes', 'u8', 'segments', 'Zero-window or keep-alive probes unanswered.', counters),
  kernel('backoff', 'u8', '', 'Exponent of the timer back-off.', counters),
  kernel(
    'options',
    'u8',
    '',
    'tcpi_options bits: 1 timestamps, 2 SACK, 4 window scale, 8 ECN, 16 ECN seen, 32 SYN data, 64 µs timestamps, 128 fast-open child.',
    counters,
  ),
  kernel('ca_state', { enum: 'CaState' }, '', 'Congestion-avoidance state.', counters),
  kernel('congestion_control', 'name16', '', 'Congestion control algorithm.', same),

  // Retransmitted segments by cause, counted at every one; local transmit failures apart.
  kernel('retrans_syn', 'u32', 'segments', 'SYN sent again.', zero),
  kernel('retrans_syn_ack', 'u32', 'segments', 'SYN-ACK sent again.', zero),
  kernel('retrans_rto', 'u32', 'segments', 'Sent again by the retransmission timer.', zero),
  kernel('retrans_loss_recovery', 'u32', 'segments', 'Sent again in recovery after a timeout.', zero),
  kernel('retrans_fast', 'u32', 'segments', 'Sent again in fast recovery.', zero),
  kernel('retrans_tail_loss_probe', 'u32', 'segments', 'Sent again as tail loss probe.', zero),
  kernel(
    'retrans_other',
    'u32',
    'segments',
    'Sent again for another cause, or for one that no program saw (kernel 6.17 and later).',
    zero,
  ),
  kernel(
    'retrans_failed',
    'u32',
    'segments',
    'Retransmissions that failed on this host (kernel 6.17 and later).',
    zero,
  ),
];

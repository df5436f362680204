/** Every field that comes of TCP_INFO, against TCP_INFO taken when nothing moved any more. */
import { between, type Check, type Wanted } from './check.ts';
import type { Fields } from './expected.ts';
import type { TcpInfo } from './reply.ts';
import type { Life } from './socket.ts';

/** Our name → the kernel's, where the values are the same. */
const SAME: Readonly<Record<string, string>> = {
  tcp_bytes_sent: 'bytes_sent',
  tcp_bytes_retrans: 'bytes_retrans',
  tcp_bytes_acked: 'bytes_acked',
  tcp_bytes_received: 'bytes_received',
  segs_out: 'segs_out',
  segs_in: 'segs_in',
  data_segs_out: 'data_segs_out',
  data_segs_in: 'data_segs_in',
  total_retrans: 'total_retrans',
  lost: 'lost',
  unacked: 'unacked',
  sacked: 'sacked',
  retrans: 'retrans',
  delivered: 'delivered',
  delivered_ce: 'delivered_ce',
  reord_seen: 'reord_seen',
  rcv_ooopack: 'rcv_ooopack',
  dsack_dups: 'dsack_dups',
  total_rto: 'total_rto',
  total_rto_recoveries: 'total_rto_recoveries',
  rtt_us: 'rtt',
  rttvar_us: 'rttvar',
  min_rtt_us: 'min_rtt',
  rcv_rtt_us: 'rcv_rtt',
  rto_us: 'rto',
  snd_cwnd: 'snd_cwnd',
  snd_ssthresh: 'snd_ssthresh',
  snd_mss: 'snd_mss',
  rcv_mss: 'rcv_mss',
  advmss: 'advmss',
  pmtu: 'pmtu',
  snd_wnd: 'snd_wnd',
  rcv_wnd: 'rcv_wnd',
  rcv_space: 'rcv_space',
  delivery_rate: 'delivery_rate',
  probes: 'probes',
  backoff: 'backoff',
  options: 'options',
};

/** Clocks that may still run while nothing moves. */
const RUNNING: Readonly<Record<string, { readonly name: string; readonly unitUs: number }>> = {
  busy_time_us: { name: 'busy_time', unitUs: 1 },
  rwnd_limited_us: { name: 'rwnd_limited', unitUs: 1 },
  sndbuf_limited_us: { name: 'sndbuf_limited', unitUs: 1 },
  total_rto_time_ms: { name: 'total_rto_time', unitUs: 1_000 },
};

export const CA_STATES = ['open', 'disorder', 'cwr', 'recovery', 'loss'];
/** The kernel's "no sample yet". */
export const NO_SAMPLE = 0xffff_ffff;
/** A jiffy at 100 Hz. */
const JIFFY_US_MAX = 10_000;

/** Fields as `info` has them, when it was taken right before the row; `spanUs`: between the two at most. */
export function infoFields(info: TcpInfo, spanUs = 0): Fields {
  const fields: Record<string, Wanted> = {};
  for (const [ours, theirs] of Object.entries(SAME)) {
    const value = info[theirs];
    if (value !== undefined) fields[ours] = value === NO_SAMPLE && theirs === 'min_rtt' ? 0 : value;
  }
  for (const [ours, { name, unitUs }] of Object.entries(RUNNING)) {
    const value = info[name];
    if (value !== undefined)
      fields[ours] = stillRunning(value, spanUs > 0 ? (spanUs + JIFFY_US_MAX) / unitUs : 0);
  }
  fields['ca_state'] = CA_STATES[info['ca_state'] ?? 0] ?? 'unknown';
  return fields;
}

const stillRunning = (value: number, more: number): number | Check =>
  more === 0 ? value : between(value, value + more);

/** Of the last moment before close(); a connection with segments in flight has clocks that run. */
export function frozenFields({ info, end }: Life): Fields {
  if (!info || !end) throw new Error('the socket was not closed by a command');
  const isIdle = info['unacked'] === 0 && info['notsent_bytes'] === 0;
  return infoFields(info, isIdle ? 0 : end.after - end.before + JIFFY_US_MAX);
}

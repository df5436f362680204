/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Fills an event from a socket. */
#ifndef TCPTRAIL_COUNTERS_BPF_H
#define TCPTRAIL_COUNTERS_BPF_H

#include "connection.bpf.h"
#include "owner.bpf.h"

#define USEC_PER_SEC 1000000ULL
#define USEC_PER_MSEC 1000
#define NSEC_PER_MSEC 1000000ULL
#define NSEC_PER_USEC 1000ULL

static __always_inline void copy_ipv4(__u8 *to, __be32 address)
{
	*(__u64 *)to = 0;
	*(__u32 *)(to + 8) = 0xffff0000;
	*(__u32 *)(to + 12) = address;
}

static __always_inline void endpoint_addresses(__u8 *local, __u8 *peer, struct sock_common *skc)
{
	if (skc->skc_family == AF_INET6) {
		bpf_probe_read_kernel(local, 16, &skc->skc_v6_rcv_saddr);
		bpf_probe_read_kernel(peer, 16, &skc->skc_v6_daddr);
	} else {
		copy_ipv4(local, skc->skc_rcv_saddr);
		copy_ipv4(peer, skc->skc_daddr);
	}
}

static __always_inline void connection_addresses(struct sock *sk, struct connection *c)
{
	endpoint_addresses(c->local_address, c->peer_address, &sk->__sk_common);
}

static __always_inline void event_addresses(struct tcptrail_event *e, struct sock_common *skc)
{
	endpoint_addresses(e->local_address, e->peer_address, skc);
	e->family = skc->skc_family == AF_INET6 ? FAMILY_IPV6 : FAMILY_IPV4;
	e->peer_port = __builtin_bswap16(skc->skc_dport);
	e->network_namespace = skc->skc_net.net->ns.inum;
}

static __always_inline __u64 connection_duration_us(__u64 ts, const struct connection *c)
{
	return c->start_ts && ts > c->start_ts ? (ts - c->start_ts) / NSEC_PER_USEC : 0;
}

/* Identity, endpoints, owner, life. Its cookie was asked for before: a cgroup program cannot, for a socket. */
static __always_inline void event_connection(struct tcptrail_event *e, struct sock *sk, const struct connection *c)
{
	e->socket_cookie = sk->__sk_common.skc_cookie.counter;
	event_addresses(e, &sk->__sk_common);
	event_owner(e, sk, c);
	if (!c) {
		e->counters_since = COUNTERS_SINCE_SCAN;
		return;
	}
	e->generation = c->generation;
	e->role = c->role;
	e->start_ts = c->start_ts;
	e->established_ts = c->established_ts;
	e->handshake_us = c->handshake_us;
	e->duration_us = connection_duration_us(e->ts, c);
	e->counters_since = c->counters_since;
	e->retrans_failed = c->retrans[0];
	e->retrans_syn = c->retrans[RETRANSMIT_CAUSE_SYN];
	e->retrans_syn_ack = c->retrans[RETRANSMIT_CAUSE_SYN_ACK];
	e->retrans_rto = c->retrans[RETRANSMIT_CAUSE_RTO];
	e->retrans_loss_recovery = c->retrans[RETRANSMIT_CAUSE_LOSS_RECOVERY];
	e->retrans_fast = c->retrans[RETRANSMIT_CAUSE_FAST];
	e->retrans_tail_loss_probe = c->retrans[RETRANSMIT_CAUSE_TAIL_LOSS_PROBE];
	e->retrans_other = c->retrans[RETRANSMIT_CAUSE_OTHER];
}

struct payload {
	__u64 acked;
	__u64 received;
	__u32 snd_nxt;
	__u32 snd_una;
	__u32 write_seq;
	__u32 rcv_nxt;
	__u32 copied_seq;
};

/* Iterators do not hold the socket's lock: 1 when nothing moved meanwhile. */
static __always_inline bool payload_read(struct payload *p, struct tcp_sock *tp)
{
	p->acked = tp->bytes_acked;
	p->received = tp->bytes_received;
	p->snd_nxt = tp->snd_nxt;
	p->snd_una = tp->snd_una;
	p->write_seq = tp->write_seq;
	p->rcv_nxt = tp->rcv_nxt;
	p->copied_seq = tp->copied_seq;
	asm volatile("" ::: "memory");
	return p->acked == tp->bytes_acked && p->received == tp->bytes_received && p->snd_nxt == tp->snd_nxt &&
	       p->snd_una == tp->snd_una && p->write_seq == tp->write_seq;
}

/* Payload without SYN and FIN, which take sequence numbers too. `bytes_sent - bytes_retrans` would count local drops. */
static __always_inline void event_payload(struct tcptrail_event *e, struct sock *sk, struct tcp_sock *tp,
					  const struct connection *c)
{
	__u64 received, sent, delivered, retrans = tp->bytes_retrans;
	__u32 unsent, unread;
	struct payload p;
	bool fin = c && c->fin_queued, done = sk->__sk_common.skc_flags & (1UL << SOCK_DONE);

	/* Written out: 6.1's verifier takes no way back to the head of a loop but a jump. */
	if (!payload_read(&p, tp) && !payload_read(&p, tp) && !payload_read(&p, tp))
		payload_read(&p, tp);
	sent = p.acked + (__u32)(p.snd_nxt - p.snd_una);
	delivered = p.acked;
	unsent = p.write_seq - p.snd_nxt;
	received = p.received;
	unread = p.rcv_nxt - p.copied_seq;

	e->tcp_bytes_sent = tp->bytes_sent;
	e->tcp_bytes_retrans = retrans;
	e->tcp_bytes_acked = p.acked;
	e->tcp_bytes_received = received;
	if (c && c->role == ROLE_CLIENT) {
		sent -= sent ? 1 : 0;
		delivered -= delivered ? 1 : 0;
	}
	if (fin && sent && p.snd_nxt == p.write_seq)
		sent--;
	if (fin && delivered && p.snd_una == p.write_seq)
		delivered--;
	if (fin && unsent)
		unsent--;
	if (done && received)
		received--;
	if (done && unread)
		unread--;
	e->bytes_sent = sent;
	e->bytes_delivered = delivered;
	e->bytes_unsent = unsent;
	e->bytes_received = received;
	e->bytes_unread = received ? unread : 0;
	e->local_drop_bytes = e->tcp_bytes_sent > retrans + sent ? e->tcp_bytes_sent - retrans - sent : 0;
}

static __always_inline __u64 jiffies_to_us(__u64 jiffies)
{
	__u32 hz = tunables.jiffies_hz;

	return hz ? jiffies * USEC_PER_SEC / hz : 0;
}

/* Time with data to send, and of it the time stalled by the peer's window or the send buffer. */
static __always_inline void event_chrono(struct tcptrail_event *e, struct tcp_sock *tp)
{
	__u32 type = BPF_CORE_READ_BITFIELD(tp, chrono_type);
	__u32 running = (__u32)bpf_jiffies64() - tp->chrono_start;
	__u64 busy = tp->chrono_stat[0], rwnd = tp->chrono_stat[1], sndbuf = tp->chrono_stat[2];

	if (type == TCP_CHRONO_RWND_LIMITED)
		rwnd += running;
	else if (type == TCP_CHRONO_SNDBUF_LIMITED)
		sndbuf += running;
	else if (type)
		busy += running;
	e->busy_time_us = jiffies_to_us(busy + rwnd + sndbuf);
	e->rwnd_limited_us = jiffies_to_us(rwnd);
	e->sndbuf_limited_us = jiffies_to_us(sndbuf);
}

static __always_inline __u8 tcp_options(struct tcp_sock *tp)
{
	__u8 ecn = tp->ecn_flags, options = 0;

	if (BPF_CORE_READ_BITFIELD(tp, rx_opt.tstamp_ok))
		options |= 1;
	if (BPF_CORE_READ_BITFIELD(tp, rx_opt.sack_ok))
		options |= 2;
	if (BPF_CORE_READ_BITFIELD(tp, rx_opt.wscale_ok))
		options |= 4;
	if (ecn & TCP_ECN_OK)
		options |= 8;
	if (ecn & TCP_ECN_SEEN)
		options |= 16;
	if (BPF_CORE_READ_BITFIELD(tp, syn_data_acked))
		options |= 32;
	if (bpf_core_field_exists(tp->tcp_usec_ts) && BPF_CORE_READ_BITFIELD(tp, tcp_usec_ts))
		options |= 64;
	if (bpf_core_field_exists(tp->syn_fastopen_child) && BPF_CORE_READ_BITFIELD(tp, syn_fastopen_child))
		options |= 128;
	return options;
}

static __always_inline void event_counters(struct tcptrail_event *e, struct sock *sk, const struct connection *c)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
	struct inet_connection_sock *icsk;
	__u32 min_rtt, interval;

	if (!tp)
		return;
	icsk = &tp->inet_conn;
	e->local_port = __builtin_bswap16(icsk->icsk_inet.inet_sport);
	if (bpf_core_field_exists(tp->is_mptcp))
		e->mptcp_subflow = tp->is_mptcp;
	event_payload(e, sk, tp, c);
	event_chrono(e, tp);
	e->segs_out = tp->segs_out;
	e->segs_in = tp->segs_in;
	e->data_segs_out = tp->data_segs_out;
	e->data_segs_in = tp->data_segs_in;
	e->total_retrans = tp->total_retrans;
	e->lost = tp->lost_out;
	e->unacked = tp->packets_out;
	e->sacked = tp->sacked_out;
	e->retrans = tp->retrans_out;
	e->delivered = tp->delivered;
	e->delivered_ce = tp->delivered_ce;
	e->reord_seen = tp->reord_seen;
	e->rcv_ooopack = tp->rcv_ooopack;
	e->dsack_dups = tp->dsack_dups;
	if (bpf_core_field_exists(tp->total_rto)) {
		e->total_rto = tp->total_rto;
		e->total_rto_recoveries = tp->total_rto_recoveries;
		e->total_rto_time_ms = tp->total_rto_time;
		/* The recovery under way. */
		if (tp->rto_stamp)
			e->total_rto_time_ms += (__u32)(bpf_ktime_get_ns() / NSEC_PER_MSEC) - tp->rto_stamp;
	}
	e->rtt_us = tp->srtt_us >> 3;
	e->rttvar_us = tp->mdev_us >> 2;
	min_rtt = tp->rtt_min.s[0].v;
	e->min_rtt_us = min_rtt == ~0U ? 0 : min_rtt;
	e->rcv_rtt_us = tp->rcv_rtt_est.rtt_us >> 3;
	e->rto_us = jiffies_to_us(icsk->icsk_rto);
	e->snd_cwnd = tp->snd_cwnd;
	e->snd_ssthresh = tp->snd_ssthresh;
	e->snd_mss = tp->mss_cache;
	e->rcv_mss = icsk->icsk_ack.rcv_mss;
	e->advmss = tp->advmss;
	e->pmtu = icsk->icsk_pmtu_cookie;
	e->snd_wnd = tp->snd_wnd;
	e->rcv_wnd = tp->rcv_wnd;
	e->rcv_space = tp->rcvq_space.space;
	interval = tp->rate_interval_us;
	if (interval)
		e->delivery_rate = (__u64)tp->rate_delivered * tp->mss_cache * USEC_PER_SEC / interval;
	e->probes = icsk->icsk_probes_out;
	e->backoff = icsk->icsk_backoff;
	e->options = tcp_options(tp);
	e->ca_state = BPF_CORE_READ_BITFIELD(tp, inet_conn.icsk_ca_state);
	if (icsk->icsk_ca_ops)
		bpf_probe_read_kernel(e->congestion_control, sizeof(e->congestion_control), icsk->icsk_ca_ops->name);
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Retransmissions and their cause. */
#include "control.bpf.h"
#include "counters.bpf.h"
#include "emit.bpf.h"
#include "handshake.bpf.h"

static __always_inline __u16 skb_tcp_flags(struct tcp_skb_cb *cb)
{
	__u16 flags = 0;

	/* One byte until 6.14, two since. */
	bpf_core_read(&flags, bpf_core_field_size(cb->tcp_flags) == 1 ? 1 : 2, &cb->tcp_flags);
	return flags;
}

static __always_inline __u8 retransmit_cause(struct tcp_sock *tp, __u16 flags)
{
	struct inet_connection_sock *icsk = &tp->inet_conn;
	__u32 ca_state = BPF_CORE_READ_BITFIELD(tp, inet_conn.icsk_ca_state);

	if (flags & TCPHDR_SYN)
		return flags & TCPHDR_ACK ? RETRANSMIT_CAUSE_SYN_ACK : RETRANSMIT_CAUSE_SYN;
	if (ca_state == TCP_CA_Loss) {
		/* The timer clears icsk_pending before it sends; recovery after it sends with the timer set. */
		if (icsk->icsk_pending == 0 && icsk->icsk_retransmits > 0)
			return RETRANSMIT_CAUSE_RTO;
		return RETRANSMIT_CAUSE_LOSS_RECOVERY;
	}
	if (ca_state == TCP_CA_Recovery)
		return RETRANSMIT_CAUSE_FAST;
	return icsk->icsk_pending == ICSK_TIME_LOSS_PROBE ? RETRANSMIT_CAUSE_TAIL_LOSS_PROBE : RETRANSMIT_CAUSE_OTHER;
}

/* All of them are counted in the connection; a storm need not be told one by one. */
static __always_inline bool retransmits_are_enough(struct connection *c)
{
	__u32 second = bpf_ktime_get_boot_ns() / NSEC_PER_SEC;

	if (c->retransmit_second != second) {
		c->retransmit_second = second;
		c->retransmits_told = 0;
	}
	return c->retransmits_told++ >= tunables.retransmits_per_second;
}

static __always_inline int on_retransmit(struct sock *sk, struct sk_buff *skb, int err)
{
	struct tcp_skb_cb *cb = (struct tcp_skb_cb *)skb->cb;
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
	struct emission emission;
	struct tcptrail_event *e;
	struct connection *c;
	__u32 segments;
	__u8 cause;

	if (!tp || !is_tcp(sk) || !is_recording())
		return 0;
	cause = retransmit_cause(tp, skb_tcp_flags(cb));
	segments = BPF_CORE_READ(cb, tcp_gso_segs);
	if (!segments)
		segments = 1;
	c = connection_of(sk);
	if (c && !c->ports)
		c->ports = ports_of(sk, tp);
	if (c && err)
		c->retrans[0] += segments;
	else if (c && cause < RETRANSMIT_CAUSE_COUNT)
		c->retrans[cause] += segments;
	if (c && retransmits_are_enough(c))
		return 0;
	emission = emission_begin(EVENT_KIND_RETRANSMIT, RING_CHATTER);
	e = emission.event;
	if (!e)
		return 0;
	e->state = sk->__sk_common.skc_state;
	e->retransmit_cause = cause;
	e->retransmit_segments = segments;
	e->transmit_failed = err != 0;
	bpf_get_socket_cookie(sk);
	event_connection(e, sk, c);
	event_counters(e, sk, c);
	emission_end(&emission);
	return 0;
}

/* Run in softirq, timer or process, with the socket locked. 4.16; `err`, and so the failed ones, since 6.17. */
SEC("tp_btf/tcp_retransmit_skb")
int BPF_PROG(retransmit_err, struct sock *sk, struct sk_buff *skb, int err)
{
	return on_retransmit(sk, skb, err);
}

SEC("tp_btf/tcp_retransmit_skb")
int BPF_PROG(retransmit, struct sock *sk, struct sk_buff *skb)
{
	return on_retransmit(sk, skb, 0);
}

/* Runs in timer or softirq; `sk` is the listener, the request's cookie is the later child's. 4.16. */
SEC("tp_btf/tcp_retransmit_synack")
int BPF_PROG(retransmit_synack, struct sock *sk, struct request_sock *req)
{
	__u64 cookie = bpf_get_socket_cookie((void *)req);
	struct emission emission;
	struct tcptrail_event *e;

	if (!is_tcp(sk) || !is_recording())
		return 0;
	handshake_retransmitted(cookie, sk, req);
	if (!tunables.retransmits_per_second)
		return 0;
	emission = emission_begin(EVENT_KIND_RETRANSMIT, RING_CHATTER);
	e = emission.event;
	if (!e)
		return 0;
	e->socket_cookie = cookie;
	e->state = TCP_NEW_SYN_RECV;
	e->role = ROLE_SERVER;
	e->retransmit_cause = RETRANSMIT_CAUSE_SYN_ACK;
	e->retransmit_segments = 1;
	event_addresses(e, &req->__req_common);
	e->local_port = req->__req_common.skc_num;
	event_owner(e, sk, connection_of(sk));
	emission_end(&emission);
	return 0;
}

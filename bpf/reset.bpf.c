/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Resets: each is told, and remembered for the verdict. */
#include "control.bpf.h"
#include "counters.bpf.h"
#include "emit.bpf.h"
#include "packet.bpf.h"
#include "verdict.bpf.h"

/*
 * `sk` may be NULL, a listener, a request or a TIME_WAIT minisock: none of them is read but by probe reads, and
 * the helpers refuse them. Some verifiers (6.10 to 6.12) believe that it cannot be NULL.
 */
static __always_inline void tell_reset(struct sock *sk, struct connection *c, struct sk_buff *skb, __u32 reason,
				       __u8 direction)
{
	struct emission emission = emission_begin(EVENT_KIND_RESET, RING_CHATTER);
	struct tcptrail_event *e = emission.event;
	struct sock_common *skc = (struct sock_common *)sk;
	__u8 state;

	if (!e)
		return;
	e->reset_direction = direction;
	e->reset_reason_code = reason;
	state = sk ? BPF_CORE_READ(skc, skc_state) : 0;
	e->state = state;
	if (state && state != TCP_LISTEN) {
		e->socket_cookie = BPF_CORE_READ(skc, skc_cookie.counter);
		event_endpoints_probed(e, skc);
	} else if (skb) {
		event_endpoints_of_packet(e, skb);
		/* A packet for a listener has lost its device by now. */
		if (!state && packet_is_syn(skb))
			e->state = TCP_CLOSE;
		if (state)
			e->network_namespace = BPF_CORE_READ(skc, skc_net.net, ns.inum);
	}
	if (c && state != TCP_LISTEN) {
		e->generation = c->generation;
		e->role = c->role;
		e->start_ts = c->start_ts;
		e->established_ts = c->established_ts;
		e->handshake_us = c->handshake_us;
		e->duration_us = connection_duration_us(e->ts, c);
		e->counters_since = c->counters_since;
	}
	/* Storage is of full sockets alone. */
	if (c)
		event_owner(e, sk, c);
	emission_end(&emission);
}

/* Runs in softirq, or in process context for the backlog, with the socket locked, before → CLOSE. 4.16. */
SEC("tp_btf/tcp_receive_reset")
int BPF_PROG(receive_reset, struct sock *sk)
{
	struct connection *c = connection_of(sk);
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);

	if (!is_tcp(sk) || !is_recording())
		return 0;
	if (c && tp && !c->ports)
		c->ports = ports_of(sk, tp);
	if (c && was_closed_on_data(sk, c)) {
		c->closed_on_data = 1;
		return 0;
	}
	if (c)
		c->reset_received = 1;
	tell_reset(sk, c, NULL, 0, RESET_DIRECTION_RECEIVED);
	return 0;
}

static __always_inline int on_send_reset(struct sock *sk, struct sk_buff *skb, __u32 reason)
{
	struct connection *c = connection_of(sk);

	if (!is_recording())
		return 0;
	if (c)
		c->reset_sent = 1;
	tell_reset(sk, c, skb, reason, RESET_DIRECTION_SENT);
	return 0;
}

/* Runs in any context, often after → CLOSE. 4.16; the reason, and resets without a socket, since 6.10. */
SEC("tp_btf/tcp_send_reset")
int BPF_PROG(send_reset_reason, struct sock *sk, struct sk_buff *skb, __u32 reason)
{
	return on_send_reset(sk, skb, reason);
}

SEC("tp_btf/tcp_send_reset")
int BPF_PROG(send_reset, struct sock *sk, struct sk_buff *skb)
{
	return on_send_reset(sk, skb, 0);
}

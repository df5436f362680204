/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Listening sockets: that they come and go, and how their queue is. */
#ifndef TCPTRAIL_LISTENER_BPF_H
#define TCPTRAIL_LISTENER_BPF_H

#include "counters.bpf.h"
#include "emit.bpf.h"

static __always_inline __u32 listener_drops(struct sock *sk)
{
	return sk->sk_drops.counter;
}

/* A number that moves whenever the queue, its limit or the drops did. */
static __always_inline __u32 listener_sum(struct sock *sk)
{
	return listener_drops(sk) * 31 + sk->sk_ack_backlog * 17 + sk->sk_max_ack_backlog;
}

static __always_inline bool tell_listener(__u32 kind, __u32 ring, struct sock *sk, struct connection *c)
{
	struct emission emission = emission_begin(kind, ring);
	struct tcptrail_event *e = emission.event;
	struct tcp_sock *tp;

	if (!e)
		return 0;
	c->told_ts = e->ts;
	c->told_sum = listener_sum(sk);
	e->socket_cookie = bpf_get_socket_cookie(sk);
	e->state = TCP_LISTEN;
	e->role = ROLE_SERVER;
	event_addresses(e, &sk->__sk_common);
	tp = bpf_skc_to_tcp_sock(sk);
	if (tp)
		e->local_port = __builtin_bswap16(tp->inet_conn.icsk_inet.inet_sport);
	event_owner(e, sk, c);
	e->accept_queue = sk->sk_ack_backlog;
	e->accept_queue_max = sk->sk_max_ack_backlog;
	e->listen_drops = listener_drops(sk);
	emission_end(&emission);
	return 1;
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Listening sockets: that they come and go, and how their queue is. */
#ifndef TCPTRAIL_LISTENER_BPF_H
#define TCPTRAIL_LISTENER_BPF_H

#include "counters.bpf.h"
#include "emit.bpf.h"

#define LISTEN_FAILED_NS 1000000ULL

static __always_inline __u32 listener_drops(struct sock *sk)
{
	return sk->sk_drops.counter;
}

/* A number that moves whenever the queue, its limit or the drops did. */
static __always_inline __u32 listener_sum(__u32 queue, __u32 queue_max, __u32 drops)
{
	return drops * 31 + queue * 17 + queue_max;
}

static __always_inline bool tell_listener(__u32 kind, __u32 ring, struct sock *sk, struct connection *c, __u64 ts)
{
	struct emission emission = emission_begin(kind, ring);
	struct tcptrail_event *e = emission.event;
	struct tcp_sock *tp;

	if (!e)
		return 0;
	c->told_ts = e->ts;
	e->ts = ts;
	e->socket_cookie = bpf_get_socket_cookie(sk);
	e->state = TCP_LISTEN;
	e->role = ROLE_SERVER;
	event_addresses(e, &sk->__sk_common);
	tp = bpf_skc_to_tcp_sock(sk);
	if (tp)
		e->local_port = __builtin_bswap16(tp->inet_conn.icsk_inet.inet_sport);
	event_owner(e, sk, c);
	e->accept_queue_max = sk->sk_max_ack_backlog;
	/* It began with none. */
	if (kind != EVENT_KIND_LISTEN) {
		e->accept_queue = sk->sk_ack_backlog;
		e->listen_drops = listener_drops(sk);
	}
	c->untold = 0;
	c->told_sum = listener_sum(e->accept_queue, e->accept_queue_max, e->listen_drops);
	emission_end(&emission);
	return 1;
}

/*
 * Not told when the state changes: the port is not known yet, and listen() may still fail. Soon after, or at the end
 * of the listener, with its true time.
 */
static __always_inline bool tell_listen(struct sock *sk, struct connection *c)
{
	__u64 start_ts = c->start_ts;

	if (__sync_val_compare_and_swap(&c->told, TOLD_NOTHING, TOLD_OPEN) != TOLD_NOTHING)
		return 0;
	return tell_listener(EVENT_KIND_LISTEN, RING_LIFECYCLE, sk, c, start_ts);
}

/* A listen() that failed leaves at once, and no process has closed or shut down the socket. */
static __always_inline void tell_unlisten(struct sock *sk, struct connection *c)
{
	__u64 now = bpf_ktime_get_boot_ns();

	if (c->told == TOLD_NOTHING && !sk->sk_shutdown && now - c->start_ts < LISTEN_FAILED_NS)
		return;
	tell_listen(sk, c);
	tell_listener(EVENT_KIND_UNLISTEN, RING_LIFECYCLE, sk, c, now);
}

#endif

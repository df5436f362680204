/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A connect() that sent no SYN. */
#ifndef TCPTRAIL_ATTEMPT_BPF_H
#define TCPTRAIL_ATTEMPT_BPF_H

#include "counters.bpf.h"
#include "emit.bpf.h"

/* `fail` of the attempt that is marked, if one is: a connection of its own, so it takes a generation. */
static __always_inline void tell_attempt(struct sock *sk, struct connection *c, __u64 cookie)
{
	struct emission emission;
	struct tcptrail_event *e;
	struct tcp_sock *tp;

	if (!c->attempt.ts)
		return;
	c->generation++;
	emission = emission_begin(EVENT_KIND_FAIL, RING_LIFECYCLE);
	e = emission.event;
	if (e) {
		e->ts = c->attempt.ts;
		e->socket_cookie = cookie;
		e->generation = c->generation;
		e->role = ROLE_CLIENT;
		e->state = TCP_CLOSE;
		event_addresses(e, &sk->__sk_common);
		tp = bpf_skc_to_tcp_sock(sk);
		if (tp)
			e->local_port = __builtin_bswap16(tp->inet_conn.icsk_inet.inet_sport);
		__builtin_memcpy(e->peer_address, c->attempt.peer_address, sizeof(e->peer_address));
		e->peer_port = c->attempt.peer_port;
		event_owner(e, sk, c);
		e->start_ts = c->attempt.ts;
		emission_end(&emission);
	}
	c->attempt.ts = 0;
}

#endif

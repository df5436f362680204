/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Events of connections that go on. */
#ifndef TCPTRAIL_TELL_BPF_H
#define TCPTRAIL_TELL_BPF_H

#include "counters.bpf.h"
#include "emit.bpf.h"

/* A number that moves whenever a segment came or went. */
static __always_inline __u32 counters_sum(struct tcp_sock *tp)
{
	return tp->segs_in + tp->segs_out;
}

static __always_inline void tell_counters(struct emission *emission, struct sock *sk, struct connection *c)
{
	struct tcptrail_event *e = emission->event;
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);

	c->told_ts = e->ts;
	if (tp)
		c->told_sum = counters_sum(tp);
	e->state = sk->__sk_common.skc_state;
	event_connection(e, sk, c);
	event_counters(e, sk, c);
}

/* At most once a connection: several programs may find it due. */
static __always_inline bool tell_open(struct sock *sk, struct connection *c)
{
	struct emission emission;

	if (__sync_val_compare_and_swap(&c->told, TOLD_NOTHING, TOLD_OPEN) != TOLD_NOTHING)
		return 0;
	emission = emission_begin(EVENT_KIND_OPEN, RING_LIFECYCLE);
	if (!emission.event)
		return 0;
	tell_counters(&emission, sk, c);
	/* When it was established, not when that was found worth telling. */
	emission.event->ts = c->established_ts;
	emission.event->state = TCP_ESTABLISHED;
	emission.event->duration_us = (c->established_ts - c->start_ts) / NSEC_PER_USEC;
	emission_end(&emission);
	return 1;
}

static __always_inline bool open_is_due(const struct connection *c, __u64 now)
{
	return c->told == TOLD_NOTHING && c->active && c->established_ts &&
	       now >= c->established_ts + tunables.open_hold_ns;
}

/* A connection that was older than the hold, quiet, and ended before anyone looked has its `open` all the same. */
static __always_inline void tell_open_at_end(struct sock *sk, struct connection *c)
{
	if (c->told == TOLD_NOTHING && open_is_due(c, bpf_ktime_get_boot_ns()))
		tell_open(sk, c);
	__sync_lock_test_and_set(&c->told, TOLD_END);
}

#endif

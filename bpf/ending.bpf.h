/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* fail and close. */
#ifndef TCPTRAIL_ENDING_BPF_H
#define TCPTRAIL_ENDING_BPF_H

#include "tell.bpf.h"
#include "verdict.bpf.h"

/* Never established: only the side that sent the SYN, or a child that died during its handshake. */
static __always_inline __u32 ending_kind(const struct ending *ending)
{
	const struct connection *c = ending->connection;

	if (c && c->established_ts)
		return EVENT_KIND_CLOSE;
	return ending->state == TCP_SYN_SENT || ending->state == TCP_SYN_RECV ? EVENT_KIND_FAIL : EVENT_KIND_CLOSE;
}

/*
 * While another program is attached to the tracepoint, or detached, the kernel passes over a few calls of those that
 * are there, and no counter of its own says so: what is missing to the kernel's count is of unknown cause.
 */
static __always_inline void count_unseen_retransmits(struct tcptrail_event *e, const struct connection *c)
{
	__u32 seen = e->retrans_failed + e->retrans_syn + e->retrans_syn_ack + e->retrans_rto +
		     e->retrans_loss_recovery + e->retrans_fast + e->retrans_tail_loss_probe + e->retrans_other;

	if (c && c->counters_since == COUNTERS_SINCE_BIRTH && e->total_retrans > seen)
		e->retrans_other += e->total_retrans - seen;
}

static __always_inline void emit_state(__u32 kind, const struct ending *ending, bool late)
{
	struct emission emission = emission_begin(kind, RING_LIFECYCLE);
	struct tcptrail_event *e = emission.event;

	if (!e)
		return;
	e->late = late;
	e->state = ending->state;
	event_connection(e, ending->sk, ending->connection);
	event_counters(e, ending->sk, ending->connection);
	count_unseen_retransmits(e, ending->connection);
	if (kind == EVENT_KIND_CLOSE)
		judge_close(e, ending);
	else if (kind == EVENT_KIND_FAIL)
		judge_fail(e, ending);
	emission_end(&emission);
}

/* A client whose SYN nobody acknowledged; of another only its birth tells, and that it was not established since. */
static __always_inline bool ended_in_handshake(struct sock *sk, const struct connection *c)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);

	if (c->established_ts)
		return 0;
	return c->role == ROLE_CLIENT && tp ? !tp->bytes_acked : c->counters_since == COUNTERS_SINCE_BIRTH;
}

/* An end that no program saw: the state it left is not known. */
static __always_inline void tell_late_end(struct sock *sk, struct connection *c)
{
	struct ending ending = { .sk = sk, .connection = c, .state = TCP_CLOSE };

	tell_open_at_end(sk, c);
	c->active = 0;
	if (ended_in_handshake(sk, c))
		ending.state = c->role == ROLE_CLIENT ? TCP_SYN_SENT : TCP_SYN_RECV;
	emit_state(ending_kind(&ending), &ending, 1);
}

#endif

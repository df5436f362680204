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
 * A program may be skipped, and a host may keep all programs from a softirq that interrupts a process which it shields
 * from them, without a count of it: what is missing to the kernel's own number is of unknown cause. That number holds
 * the failed ones too, which no program sees before 6.17.
 */
static __always_inline void count_unseen_retransmits(struct tcptrail_event *e, const struct connection *c)
{
	__u32 seen = e->retrans_failed + e->retrans_syn + e->retrans_syn_ack + e->retrans_rto +
		     e->retrans_loss_recovery + e->retrans_fast + e->retrans_tail_loss_probe + e->retrans_other;

	if (!bpf_core_field_exists(struct trace_event_raw_tcp_retransmit_skb, err))
		return;
	if (c && c->counters_since == COUNTERS_SINCE_BIRTH && e->total_retrans > seen)
		e->retrans_other += e->total_retrans - seen;
}

/* Of a socket that was disconnected since: it names no peer, or another. A port that it was bound to it keeps. */
static __always_inline void event_endpoints_kept(struct tcptrail_event *e, struct sock *sk, const struct connection *c)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);

	__builtin_memcpy(e->local_address, c->local_address, sizeof(e->local_address));
	__builtin_memcpy(e->peer_address, c->peer_address, sizeof(e->peer_address));
	if (c->ports) {
		e->local_port = __builtin_bswap16(c->ports >> 16);
		e->peer_port = __builtin_bswap16((__u16)c->ports);
	} else {
		e->local_port = tp ? __builtin_bswap16(tp->inet_conn.icsk_inet.inet_sport) : 0;
		e->peer_port = c->attempt.peer_port;
	}
}

static __always_inline void emit_state(__u32 kind, const struct ending *ending)
{
	struct emission emission = emission_begin(kind, RING_LIFECYCLE);
	struct tcptrail_event *e = emission.event;

	if (!e)
		return;
	e->late = ending->late;
	e->state = ending->state;
	event_connection(e, ending->sk, ending->connection);
	if (!ending->disconnected) {
		event_counters(e, ending->sk, ending->connection);
	} else if (ending->connection) {
		event_endpoints_kept(e, ending->sk, ending->connection);
		/* There are none. */
		e->counters_since = COUNTERS_SINCE_SCAN;
	}
	count_unseen_retransmits(e, ending->connection);
	if (kind == EVENT_KIND_CLOSE)
		judge_close(e, ending);
	else if (kind == EVENT_KIND_FAIL)
		judge_fail(e, ending);
	emission_end(&emission);
}

/*
 * A client whose SYN nobody acknowledged; of another, and of one whose counters are gone, only its birth tells, and
 * that it was not established since.
 */
static __always_inline bool ended_in_handshake(struct sock *sk, const struct connection *c, bool disconnected)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);

	if (c->established_ts || c->told != TOLD_NOTHING || c->fin_queued || c->closed_first != CLOSED_FIRST_NOBODY)
		return 0;
	if (c->role == ROLE_CLIENT && tp && !disconnected)
		return !tp->bytes_acked;
	return c->counters_since == COUNTERS_SINCE_BIRTH || c->reset_received;
}

/* An end that no program saw, once: the state it left is not known. */
static __always_inline void tell_late_end(struct sock *sk, struct connection *c, bool disconnected)
{
	struct ending ending = {
		.sk = sk,
		.connection = c,
		.state = TCP_CLOSE,
		.late = 1,
		.disconnected = disconnected,
	};

	if (!__sync_val_compare_and_swap(&c->active, 1, 0))
		return;
	if (ended_in_handshake(sk, c, disconnected))
		ending.state = c->role == ROLE_CLIENT ? TCP_SYN_SENT : TCP_SYN_RECV;
	/* An `open` would have its counters from a socket that holds none. */
	if (disconnected)
		__sync_lock_test_and_set(&c->told, TOLD_END);
	else
		tell_open_at_end(sk, c);
	emit_state(ending_kind(&ending), &ending);
}

/* Of a socket that is looked at, whether it connects again or not. */
static __always_inline bool was_disconnected(struct sock *sk)
{
	return !sk->__sk_common.skc_dport;
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* How a connection ended, judged at → CLOSE. */
#ifndef TCPTRAIL_VERDICT_BPF_H
#define TCPTRAIL_VERDICT_BPF_H

#include "connection.bpf.h"

/* An orphan that waited this long in FIN_WAIT2 was given up by the timer, not by an answer. */
#define FIN_WAIT_2_ORPHAN_NS 1000000000ULL

struct ending {
	struct sock *sk;
	const struct connection *connection; /* NULL: nothing known of its life */
	int state; /* the state it leaves */
	bool owned; /* a process holds the socket's lock */
	bool late; /* no program saw it */
	bool disconnected; /* and the socket was since: of the connection it holds no counter, error or peer */
};

static __always_inline int ending_error(const struct ending *ending)
{
	return ending->disconnected ? 0 : ending->sk->sk_err;
}

static __always_inline bool errno_unreachable(int err)
{
	return err == EHOSTUNREACH || err == ENETUNREACH;
}

/* connect() takes the error out of the socket when it returns: what is kept with the socket must speak. */
static __always_inline void judge_late_fail(struct tcptrail_event *e, const struct ending *ending)
{
	const struct connection *c = ending->connection;

	if (!c || !c->reset_received || ending->state != TCP_SYN_SENT)
		return;
	e->errno = ECONNREFUSED;
	e->errno_known = 1;
	e->verdict = VERDICT_REFUSED;
	e->reset_direction = RESET_DIRECTION_RECEIVED;
}

static __always_inline void judge_fail(struct tcptrail_event *e, const struct ending *ending)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(ending->sk);
	int err = ending_error(ending);

	if (ending->late && !err) {
		judge_late_fail(e, ending);
		return;
	}
	e->errno = err;
	e->errno_known = 1;
	/*
	 * No SYN left; sk_err may be that of the attempt before. One that waits for the first write (fast open) may be
	 * closed without.
	 */
	if (ending->state == TCP_SYN_SENT && tp && tp->snd_nxt == tp->snd_una &&
	    ending->sk->sk_shutdown == SHUTDOWN_MASK) {
		e->errno = 0;
		e->verdict = VERDICT_CANCELLED;
	} else if (ending->state == TCP_SYN_SENT && tp && tp->snd_nxt == tp->snd_una) {
		e->errno = EADDRNOTAVAIL;
		e->errno_known = 0;
		e->verdict = VERDICT_ADDR_NOT_AVAIL;
	} else if (err == ECONNREFUSED) {
		e->verdict = VERDICT_REFUSED;
		e->reset_direction = RESET_DIRECTION_RECEIVED;
	} else if (errno_unreachable(err)) {
		e->verdict = VERDICT_UNREACHABLE;
	} else if (err == ETIMEDOUT) {
		e->verdict = VERDICT_TIMED_OUT;
	} else if (err == EACCES || err == EPERM) {
		e->verdict = VERDICT_DENIED;
	} else if (err == ECONNRESET) {
		e->verdict = VERDICT_RESET_RECEIVED;
		e->reset_direction = RESET_DIRECTION_RECEIVED;
	} else if (!err && ending->state == TCP_SYN_SENT) {
		e->verdict = VERDICT_CANCELLED;
	} else {
		e->verdict = VERDICT_UNKNOWN;
	}
}

/*
 * close() with unread data or linger 0, and connect(AF_UNSPEC), go to CLOSE before they send their reset. Both
 * run under the lock, before the socket is orphaned and without an error.
 */
static __always_inline bool was_aborted(const struct ending *ending, int err, unsigned long flags)
{
	if (!ending->owned || err || flags & (1UL << SOCK_DEAD))
		return 0;
	if (ending->state == TCP_ESTABLISHED || ending->state == TCP_CLOSE_WAIT)
		return 1;
	return (ending->state == TCP_FIN_WAIT1 || ending->state == TCP_FIN_WAIT2) && !(flags & (1UL << SOCK_DONE));
}

/*
 * Data that comes after the process closed: the kernel handles it as a reset received, but it is this side that
 * sends one. Only then did a segment with data come in after the last that was read.
 */
static __always_inline bool was_closed_on_data(struct sock *sk, const struct connection *c)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
	int state = sk->__sk_common.skc_state;

	return c && tp && sk->__sk_common.skc_flags & (1UL << SOCK_DEAD) &&
	       (state == TCP_FIN_WAIT1 || state == TCP_FIN_WAIT2) && tp->data_segs_in != c->data_segs_in_read;
}

/* Its socket is the MPTCP connection's. */
static __always_inline bool is_mptcp_subflow(struct sock *sk)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);

	return tp && bpf_core_field_exists(tp->is_mptcp) && tp->is_mptcp;
}

/* TCP_LINGER2 below 0: no orphan waits for the peer's FIN, it is reset. */
static __always_inline bool was_not_to_linger(const struct ending *ending, unsigned long flags)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(ending->sk);

	return tp && tp->linger2 < 0 && ending->state == TCP_FIN_WAIT2 && flags & (1UL << SOCK_DEAD) &&
	       !(flags & (1UL << SOCK_DONE));
}

static __always_inline __u8 close_verdict(const struct tcptrail_event *e, const struct ending *ending)
{
	const struct connection *c = ending->connection;
	struct sock *sk = ending->sk;
	unsigned long flags = sk->__sk_common.skc_flags;
	int err = ending_error(ending);
	__u8 closed_first = c ? c->closed_first : state_closed_first(ending->state);

	if ((c && c->closed_on_data) || was_not_to_linger(ending, flags))
		return VERDICT_RESET_SENT;
	if ((c && c->reset_received) || err == ECONNRESET || err == EPIPE)
		return VERDICT_RESET_RECEIVED;
	if (!ending->owned && !err && !sk->sk_socket && !(flags & (1UL << SOCK_DEAD)) && !is_mptcp_subflow(sk))
		return VERDICT_UNACCEPTED;
	if (errno_unreachable(err))
		return VERDICT_UNREACHABLE;
	if (err == ETIMEDOUT)
		return VERDICT_TIMED_OUT;
	if (was_aborted(ending, err, flags))
		return sk->sk_shutdown == SHUTDOWN_MASK ? VERDICT_RESET_SENT : VERDICT_DISCONNECTED;
	if (c && c->fin_wait_2_ts && ending->state == TCP_FIN_WAIT2 && !ending->owned &&
	    !(flags & (1UL << SOCK_DONE)) && e->ts > c->fin_wait_2_ts + FIN_WAIT_2_ORPHAN_NS)
		return VERDICT_FIN_WAIT_2_ORPHAN;
	if ((c && c->reset_sent) || err == ECONNABORTED)
		return VERDICT_RESET_SENT;
	if (closed_first == CLOSED_FIRST_LOCAL)
		return VERDICT_CLOSED_LOCAL;
	if (closed_first == CLOSED_FIRST_PEER)
		return VERDICT_CLOSED_PEER;
	return closed_first == CLOSED_FIRST_BOTH ? VERDICT_CLOSED_BOTH : VERDICT_UNKNOWN;
}

static __always_inline void judge_close(struct tcptrail_event *e, const struct ending *ending)
{
	const struct connection *c = ending->connection;
	unsigned long flags = ending->sk->__sk_common.skc_flags;
	__u8 verdict = close_verdict(e, ending);
	int err = ending_error(ending);

	/* The process still has the socket and may read on: what it leaves is not known. */
	if (!(flags & (1UL << SOCK_DEAD)) && verdict != VERDICT_UNACCEPTED && !was_aborted(ending, err, flags))
		e->bytes_unread = 0;
	e->errno = err;
	/* A process takes the error out of its socket when it asks for it. */
	e->errno_known = !ending->late || err;
	e->verdict = verdict;
	if (verdict == VERDICT_RESET_RECEIVED)
		e->reset_direction = RESET_DIRECTION_RECEIVED;
	else if (verdict == VERDICT_RESET_SENT || verdict == VERDICT_DISCONNECTED || verdict == VERDICT_UNACCEPTED ||
		 (c && c->reset_sent))
		e->reset_direction = RESET_DIRECTION_SENT;
}

#endif

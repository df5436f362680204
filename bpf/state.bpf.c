/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* open, fail, close; listen, unlisten. */
#include "attempt.bpf.h"
#include "control.bpf.h"
#include "ending.bpf.h"
#include "found.bpf.h"
#include "handshake.bpf.h"
#include "listener.bpf.h"
#include "tell.bpf.h"

static __always_inline void on_listen(struct sock *sk, struct connection *c, bool owned)
{
	if (c->active)
		tell_late_end(sk, c, 1);
	tell_attempt(sk, c, bpf_get_socket_cookie(sk));
	if (owned)
		owner_set_current(&c->owner, OWNER_SOURCE_LISTENER);
	c->start_ts = bpf_ktime_get_boot_ns();
	c->told = TOLD_NOTHING;
}

static __always_inline void on_syn_sent(struct sock *sk, struct connection *c, bool owned)
{
	/* Where the attempt was seen, so was its process. */
	bool known = c->attempt.ts != 0;

	if (c->active)
		tell_late_end(sk, c, 1);
	connection_begin(c, ROLE_CLIENT);
	connection_addresses(sk, c);
	c->generation++;
	if (known)
		return;
	c->owner.source = OWNER_SOURCE_UNKNOWN;
	if (owned)
		owner_set_current(&c->owner, OWNER_SOURCE_CONNECT);
}

/* The storage is the listener's copy: its owner stays. */
static __always_inline void on_server_birth(struct connection *c)
{
	connection_begin(c, ROLE_SERVER);
	c->generation = 0;
}

/*
 * The only sample so far is that of the SYN-ACK. After a SYN cookie there is none: what stands there comes from a
 * timestamp, in whole ms, whose low bits held the connection's options.
 */
static __always_inline __u32 syn_ack_rtt_us(struct tcp_sock *tp)
{
	__u32 rtt_us = tp->srtt_us >> 3;
	bool timestamps = BPF_CORE_READ_BITFIELD(tp, rx_opt.tstamp_ok);

	return timestamps && !tp->total_retrans && rtt_us % USEC_PER_MSEC == 0 ? 0 : rtt_us;
}

static __always_inline void on_established(struct sock *sk, struct connection *c, int old)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);

	/* The birth was not seen. */
	if (!c->active && old == TCP_SYN_RECV)
		on_server_birth(c);
	else if (!c->active)
		connection_found(sk, c, old);
	if (tp)
		c->ports = ports_of(sk, tp);
	if (c->role == ROLE_SERVER)
		connection_addresses(sk, c);
	c->established_ts = bpf_ktime_get_boot_ns();
	if (c->role == ROLE_CLIENT && c->start_ts) {
		c->handshake_us = (c->established_ts - c->start_ts) / NSEC_PER_USEC;
	} else if (c->role == ROLE_SERVER && tp) {
		c->handshake_us = syn_ack_rtt_us(tp);
		c->retrans[RETRANSMIT_CAUSE_SYN_ACK] = tp->total_retrans;
	}
	if (c->role == ROLE_SERVER && tp && tp->total_retrans)
		handshake_done(bpf_get_socket_cookie(sk));
	if (tunables.open_hold_ns == 0)
		tell_open(sk, c);
}

static __always_inline __u32 data_segs_in(struct sock *sk)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);

	return tp ? tp->data_segs_in : 0;
}

static __always_inline void on_closing(struct sock *sk, struct connection *c, int new, bool owned)
{
	if (!c->active)
		connection_found(sk, c, new);
	if (new == TCP_FIN_WAIT2)
		c->fin_wait_2_ts = bpf_ktime_get_boot_ns();
	if (state_has_fin(new))
		c->fin_queued = 1;
	if (new == TCP_FIN_WAIT1)
		c->data_segs_in_read = data_segs_in(sk);
	if (new == TCP_CLOSING || c->closed_first == CLOSED_FIRST_NOBODY)
		c->closed_first = state_closed_first(new);
	if (owned && (new == TCP_FIN_WAIT1 || new == TCP_LAST_ACK) && owner_is_worse(&c->owner, OWNER_SOURCE_CLOSE))
		owner_set_current(&c->owner, OWNER_SOURCE_CLOSE);
}

static __always_inline void on_close(struct sock *sk, struct connection *c, int old, bool owned)
{
	struct ending ending = { .sk = sk, .connection = c, .state = old, .owned = owned };

	if (old == TCP_LISTEN) {
		if (c)
			tell_unlisten(sk, c);
		return;
	}
	if (c) {
		if (!c->active)
			connection_found(sk, c, old);
		/* An administrator's abort says nothing about the owner. */
		if (owned && sk->sk_err != ECONNABORTED && owner_is_worse(&c->owner, OWNER_SOURCE_CLOSE))
			owner_set_current(&c->owner, OWNER_SOURCE_CLOSE);
		tell_open_at_end(sk, c);
		c->active = 0;
	}
	emit_state(ending_kind(&ending), &ending);
}

static __always_inline int on_state(struct sock *sk, int old, int new)
{
	struct connection *c = connection_made(sk);
	/* By a process; in softirq and timer `current` is whoever was interrupted, never the owner. */
	bool owned = sk->sk_lock.owned;

	if (c) {
		connection_adopt(sk, c, old);
		c->state = new;
	} else {
		count_untracked();
	}
	/* Made when first asked for; a request's is its child's. */
	bpf_get_socket_cookie(sk);
	if (new == TCP_CLOSE) {
		on_close(sk, c, old, owned);
		return 0;
	}
	if (!c)
		return 0;
	if (new == TCP_LISTEN) {
		on_listen(sk, c, owned);
	} else if (new == TCP_SYN_SENT) {
		on_syn_sent(sk, c, owned);
	} else if (new == TCP_SYN_RECV) {
		if (old == TCP_LISTEN)
			on_server_birth(c);
	} else if (new == TCP_ESTABLISHED) {
		on_established(sk, c, old);
	} else {
		on_closing(sk, c, new, owned);
	}
	return 0;
}

/*
 * The kernel skips a program that it interrupted in the program's own run, and one softirq changes the states of
 * thousands of sockets: all of them would be missing. So there are two, attached in this order; the second does what
 * the first was skipped for. An interrupt finds one of them idle, and softirqs do not interrupt each other.
 * MPTCP's parent fires self-transitions with port 0.
 */

/* Runs in process, softirq or timer context, with the socket locked. 4.16. */
SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(state, struct sock *sk, int old, int new)
{
	struct connection *c;

	if (old == new || !is_tcp(sk))
		return 0;
	if (!is_recording()) {
		count_absent();
		return 0;
	}
	c = connection_of(sk);
	return c && told_by_the_last_state(c, new) ? 0 : on_state(sk, old, new);
}

/* Runs as `state` does, after it. 4.16. */
SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(state_spare, struct sock *sk, int old, int new)
{
	struct connection *c;

	if (old == new || !is_tcp(sk) || !is_recording())
		return 0;
	/* An end is told without storage too: then nothing says that it was not. */
	c = new == TCP_CLOSE ? connection_of(sk) : connection_made(sk);
	if (!c || (c->epoch == tunables.epoch && c->state == new) || told_by_the_last_state(c, new))
		return 0;
	count_recovered();
	return on_state(sk, old, new);
}

/* Runs in any context. Reports what is left to tell: an end that the state programs missed, a failed attempt. 4.16. */
SEC("tp_btf/tcp_destroy_sock")
int BPF_PROG(destroy, struct sock *sk)
{
	struct connection *c;

	if (!is_tcp(sk) || !is_recording())
		return 0;
	c = connection_of(sk);
	if (!c)
		return 0;
	connection_adopt(sk, c, TCP_CLOSE);
	if (c->active)
		tell_late_end(sk, c, was_disconnected(sk));
	tell_attempt(sk, c, bpf_get_socket_cookie(sk));
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Connections that were there before this agent: none knew them, or an earlier one did and left its storage. */
#ifndef TCPTRAIL_FOUND_BPF_H
#define TCPTRAIL_FOUND_BPF_H

#include "connection.bpf.h"

struct listen_port {
	__u32 network_namespace;
	__u32 port;
};

/* Inserted: scan_listeners. Deleted: never. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, struct listen_port);
	__type(value, __u8);
} listen_ports SEC(".maps");

static __always_inline struct listen_port listen_port_of(struct sock *sk, __be16 port)
{
	struct listen_port key = {
		.network_namespace = sk->__sk_common.skc_net.net->ns.inum,
		.port = __builtin_bswap16(port),
	};

	return key;
}

/*
 * A child copies its listener's backlog, which nothing but listen() sets. A port the kernel chose for connect() is
 * marked; one that was bound is a client's unless something listens on it: then the role is not known.
 */
static __always_inline __u8 role_found(struct sock *sk, struct tcp_sock *tp, int state)
{
	struct inet_bind_bucket *bucket = tp->inet_conn.icsk_bind_hash;
	struct listen_port key;

	if (state == TCP_SYN_SENT)
		return ROLE_CLIENT;
	if (sk->sk_max_ack_backlog)
		return ROLE_SERVER;
	if (!bucket)
		return ROLE_UNKNOWN;
	if (bucket->fastreuse < 0)
		return ROLE_CLIENT;
	key = listen_port_of(sk, tp->inet_conn.icsk_inet.inet_sport);
	return bpf_map_lookup_elem(&listen_ports, &key) ? ROLE_UNKNOWN : ROLE_CLIENT;
}

/* `state`: the one it is in, or the one it leaves. Its beginning may have been told by an agent before this. */
static __always_inline void connection_found(struct sock *sk, struct connection *c, int state)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);

	/* Where its connect() was seen, so was its process; otherwise both are those of a connection before. */
	bool known = c->attempt.ts != 0;

	connection_begin(c, ROLE_UNKNOWN);
	connection_addresses(sk, c);
	if (!known)
		c->attempt.peer_port = 0;
	if (!known && c->owner.source != OWNER_SOURCE_LISTENER)
		c->owner.source = OWNER_SOURCE_UNKNOWN;
	c->start_ts = 0;
	c->epoch = tunables.epoch;
	c->counters_since = COUNTERS_SINCE_SCAN;
	c->told = TOLD_OPEN;
	c->fin_queued = state_has_fin(state);
	c->closed_first = state_closed_first(state);
	if (!tp)
		return;
	c->untold = 1;
	c->role = role_found(sk, tp, state);
	/* Of those that are known: the first of its socket mostly is, and keeps the name that an agent of another layout gave. */
	if (c->role == ROLE_CLIENT || c->generation)
		c->generation++;
	c->ports = ports_of(sk, tp);
	c->data_segs_in_read = tp->data_segs_in;
}

/*
 * First look at a socket whose storage an earlier agent left. What happened in between was not seen: the connection
 * may have ended, and another have begun. An iterator, which does not hold the socket's lock, may look while a state
 * program does: one of them adopts, and what the program wrote of the state stays.
 */
static __always_inline void connection_adopt(struct sock *sk, struct connection *c, int state)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
	int state_kept = c->state;
	__u64 epoch = c->epoch;

	if (epoch == tunables.epoch || __sync_val_compare_and_swap(&c->epoch, epoch, tunables.epoch) != epoch)
		return;
	__sync_val_compare_and_swap(&c->state, state_kept, state);
	if (state == TCP_LISTEN) {
		c->active = 0;
		c->untold = 1;
		return;
	}
	if (!c->active || !tp)
		return;
	if (state == TCP_CLOSE) {
		c->counters_since = COUNTERS_SINCE_SCAN;
	} else if (c->ports && c->ports != ports_of(sk, tp)) {
		connection_found(sk, c, state);
	} else {
		c->untold = 1;
		c->counters_since = COUNTERS_SINCE_SCAN;
		c->fin_queued |= state_has_fin(state);
		if (c->closed_first == CLOSED_FIRST_NOBODY)
			c->closed_first = state_closed_first(state);
		/* The handshake ended unseen. */
		if (!c->established_ts && state != TCP_SYN_SENT && state != TCP_SYN_RECV)
			c->told = TOLD_OPEN;
	}
}

#endif

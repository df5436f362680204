/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What no hook tells, looked for every few seconds: connections that are open and quiet, counters that moved,
 * listeners' queues, handshakes given up.
 *
 * Each event is also a word of output: a read returns when its buffer is full, and so paces them.
 */
#include "ending.bpf.h"
#include "found.bpf.h"
#include "handshake.bpf.h"
#include "listener.bpf.h"
#include "tell.bpf.h"

static __always_inline void told_one(struct bpf_iter_meta *meta)
{
	__u64 word = 0;

	bpf_seq_write(meta->seq, &word, sizeof(word));
}

static __always_inline bool update_is_due(const struct connection *c, __u64 now, __u32 sum)
{
	return tunables.update_ns && now >= c->told_ts + tunables.update_ns && sum != c->told_sum;
}

/* The program that should have seen it establish writes the time before the state is set. */
static __always_inline bool established_unseen(struct sock *sk, const struct connection *c)
{
	int state = sk->__sk_common.skc_state;

	return (state == TCP_ESTABLISHED || state == TCP_CLOSE_WAIT) && !c->established_ts;
}

static __always_inline bool watch_connection(struct sock *sk, struct connection *c, __u64 now)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
	struct emission emission;

	if (!tp || !c->active)
		return 0;
	/* The programs run before the state is set: a connect() that is under way is in CLOSE for a moment. */
	if (sk->__sk_common.skc_state == TCP_CLOSE) {
		if (c->state == TCP_SYN_SENT && now < c->start_ts + NSEC_PER_SEC)
			return 0;
		tell_late_end(sk, c, was_disconnected(sk));
		return 1;
	}
	if (open_is_due(c, now))
		return tell_open(sk, c);
	if (established_unseen(sk, c) &&
	    __sync_val_compare_and_swap(&c->told, TOLD_NOTHING, TOLD_OPEN) == TOLD_NOTHING) {
		/* The exchange orders: where the time stands there now, it was only read too early. */
		c->untold = !c->established_ts;
		if (!c->untold)
			__sync_val_compare_and_swap(&c->told, TOLD_OPEN, TOLD_NOTHING);
	}
	/* An older one is told in any case: what an earlier agent told and this one does not has ended. */
	if (!c->untold && (c->told != TOLD_OPEN || !update_is_due(c, now, counters_sum(tp))))
		return 0;
	emission = emission_begin(EVENT_KIND_UPDATE, RING_CHATTER);
	if (!emission.event)
		return 0;
	c->untold = 0;
	tell_counters(&emission, sk, c);
	emission_end(&emission);
	return 1;
}

static __always_inline bool watch_listener(struct sock *sk, struct connection *c, __u64 now)
{
	__u32 sum;

	if (c->told == TOLD_NOTHING)
		return tell_listen(sk, c);
	sum = listener_sum(sk->sk_ack_backlog, sk->sk_max_ack_backlog, listener_drops(sk));
	/* Told again while it is quiet: what was told once ages away, and an older one that is not told has ended. */
	return (c->untold || now >= c->told_ts + tunables.listener_ns || update_is_due(c, now, sum)) &&
	       tell_listener(EVENT_KIND_LISTENER, RING_CHATTER, sk, c, now);
}

/* Runs in process context, the agent's; the socket is not locked. 5.9. */
SEC("iter/bpf_sk_storage_map")
int watch_sockets(struct bpf_iter__bpf_sk_storage_map *ctx)
{
	struct sock *sk = ctx->sk;
	struct connection *c;
	bool told;
	__u64 now;
	int state;

	/* NULL once, at the end. */
	if (!sk || !is_tcp(sk))
		return 0;
	c = connection_of(sk);
	if (!c)
		return 0;
	state = sk->__sk_common.skc_state;
	/* A child that is being made: it has its listener's state, and soon a cookie and a birth of its own. */
	if (state == TCP_LISTEN && (c->state != TCP_LISTEN || !sk->__sk_common.skc_cookie.counter))
		return 0;
	connection_adopt(sk, c, state);
	now = bpf_ktime_get_boot_ns();
	told = state == TCP_LISTEN ? watch_listener(sk, c, now) : watch_connection(sk, c, now);
	if (told)
		told_one(ctx->meta);
	/* Its `open` was due first, or there was no room: 1 asks for the same socket again. */
	return (state == TCP_LISTEN || c->active) && c->untold;
}

/* Runs in process context, the agent's. 5.8. */
SEC("iter/bpf_map_elem")
int watch_handshakes(struct bpf_iter__bpf_map_elem *ctx)
{
	struct handshake *found = ctx->value, *h;
	__u64 *key = ctx->key;
	struct emission emission;
	struct tcptrail_event *e;
	__u64 cookie;

	if (!key || !found || bpf_ktime_get_boot_ns() < found->given_up_ts)
		return 0;
	cookie = *key;
	h = bpf_map_lookup_elem(&handshakes, &cookie);
	if (!h)
		return 0;
	emission = emission_begin(EVENT_KIND_HALF_OPEN, RING_CHATTER);
	e = emission.event;
	if (!e)
		goto out;
	e->ts = h->ts;
	e->socket_cookie = cookie;
	e->role = ROLE_SERVER;
	e->state = TCP_NEW_SYN_RECV;
	e->family = h->family;
	__builtin_memcpy(e->local_address, h->local_address, sizeof(e->local_address));
	__builtin_memcpy(e->peer_address, h->peer_address, sizeof(e->peer_address));
	e->local_port = h->local_port;
	e->peer_port = h->peer_port;
	e->network_namespace = h->network_namespace;
	e->socket_uid = h->uid;
	e->socket_cgroup_id = h->cgroup_id;
	event_process(e, &h->owner);
	e->attempts = h->attempts;
	emission_end(&emission);
	told_one(ctx->meta);
out:
	bpf_map_delete_elem(&handshakes, &cookie);
	return 0;
}

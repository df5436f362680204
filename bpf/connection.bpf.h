/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What is kept with a socket, and what the agent sets. */
#ifndef TCPTRAIL_CONNECTION_BPF_H
#define TCPTRAIL_CONNECTION_BPF_H

#include "event.gen.h"
#include "kernel.h"

#define NSEC_PER_SEC 1000000000ULL

struct tunables {
	/* ns a connection lives before it gets an `open`; 0: at once. */
	__u64 open_hold_ns;
	/* Which agent this is: storage outlives it. */
	__u64 epoch;
	/* ns between two `update` or `listener` of one socket; 0: none. */
	__u64 update_ns;
	/* `retransmit` of one connection in one second; 0: none. */
	__u32 retransmits_per_second;
	/* Ticks a second of this kernel; 0 when not known: fields in ticks stay 0. */
	__u32 jiffies_hz;
	/* ns after which a listener that still listens is told again, whether its numbers moved or not. */
	__u64 listener_ns;
};

/* Set before loading; the agent changes them while programs run, each by one store. */
volatile struct tunables tunables SEC(".data.tunables");

struct owner {
	__u64 process_start_ts;
	__u64 cgroup_id;
	__u32 pid;
	__u32 uid;
	__u32 parent_pid;
	__u32 exec_id;
	__u8 source; /* OWNER_SOURCE_*; 0: no process known */
	__u8 reserved[3];
	char comm[16];
};

enum {
	CLOSED_FIRST_NOBODY,
	CLOSED_FIRST_LOCAL,
	CLOSED_FIRST_PEER,
	CLOSED_FIRST_BOTH,
};

/* What was told of a connection; compared and exchanged, so that at most one `open` goes out and none after the end. */
enum {
	TOLD_NOTHING,
	TOLD_OPEN,
	TOLD_END,
};

/* A connect() that has not sent its SYN yet: routes can fail before. */
struct attempt {
	__u64 ts; /* 0: none */
	__u8 peer_address[16];
	__u16 peer_port;
	__u8 family; /* FAMILY_* */
	__u8 reserved[5];
};

/* Flags are bytes, not bits: different programs write them. What is exchanged takes a word. */
struct connection {
	__u64 epoch; /* of the agent that last looked at it */
	struct owner owner;
	struct attempt attempt;
	/* Of the connection: a socket that is disconnected forgets them. */
	__u8 local_address[16];
	__u8 peer_address[16];
	__u64 start_ts;
	__u64 established_ts;
	__u64 fin_wait_2_ts;
	/* When counters were last told, and a sum of them that moves when they do. */
	__u64 told_ts;
	__u32 told_sum;
	__u32 told; /* TOLD_* */
	__u32 active; /* a connection began and its end was not reported; taken away by exchange where others may too */
	int state; /* the last change that a state program saw led there */
	__u32 data_segs_in_read; /* since the FIN was queued: those in when it was, and at each read after */
	__u32 retransmit_second; /* the last one with a `retransmit`, and how many it had */
	__u32 retransmits_told;
	__u32 ports; /* of the connection; 0: not known yet */
	/*
	 * 0: came from a listener. Each → SYN_SENT adds one, so the first connection of a client socket has 1, and so
	 * has one that was found.
	 */
	__u32 generation;
	__u32 handshake_us;
	__u32 retrans[RETRANSMIT_CAUSE_COUNT]; /* segments; [0]: failed on this host */
	__u8 role;
	__u8 counters_since;
	__u8 fin_queued;
	__u8 closed_first;
	__u8 reset_sent;
	__u8 reset_received;
	__u8 closed_on_data;
	__u8 untold; /* no hook of this agent saw it open or listen, and it is still to be told */
};

/*
 * Inserted: state changes, start-up scan. Deleted: with the socket. A child copies its listener's, which is how
 * it knows its owner.
 */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct connection);
} connections SEC(".maps");

static __always_inline struct connection *connection_of(struct sock *sk)
{
	return bpf_sk_storage_get(&connections, sk, NULL, 0);
}

static __always_inline struct connection *connection_made(struct sock *sk)
{
	return bpf_sk_storage_get(&connections, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
}

/* A new connection on the socket: all but owner and generation begins again. */
static __always_inline void connection_begin(struct connection *c, __u8 role)
{
	c->attempt.ts = 0;
	c->ports = 0;
	c->start_ts = bpf_ktime_get_boot_ns();
	c->established_ts = 0;
	c->fin_wait_2_ts = 0;
	c->handshake_us = 0;
	__builtin_memset(c->retrans, 0, sizeof(c->retrans));
	c->role = role;
	c->counters_since = COUNTERS_SINCE_BIRTH;
	c->told_ts = 0;
	c->told_sum = 0;
	c->told = TOLD_NOTHING;
	c->fin_queued = 0;
	c->closed_first = CLOSED_FIRST_NOBODY;
	c->reset_sent = 0;
	c->reset_received = 0;
	c->closed_on_data = 0;
	c->untold = 0;
	c->active = 1;
}

static __always_inline bool is_tcp(struct sock *sk)
{
	__u16 family = sk->__sk_common.skc_family;

	return sk->sk_protocol == IPPROTO_TCP && (family == AF_INET || family == AF_INET6);
}

static __always_inline __u32 ports_of(struct sock *sk, struct tcp_sock *tp)
{
	return (__u32)tp->inet_conn.icsk_inet.inet_sport << 16 | sk->__sk_common.skc_dport;
}

/* The FIN is in the send queue or sent. */
static __always_inline bool state_has_fin(int state)
{
	return state == TCP_FIN_WAIT1 || state == TCP_FIN_WAIT2 || state == TCP_CLOSING || state == TCP_LAST_ACK;
}

static __always_inline __u8 state_closed_first(int state)
{
	if (state == TCP_FIN_WAIT1 || state == TCP_FIN_WAIT2)
		return CLOSED_FIRST_LOCAL;
	if (state == TCP_CLOSE_WAIT || state == TCP_LAST_ACK)
		return CLOSED_FIRST_PEER;
	return state == TCP_CLOSING ? CLOSED_FIRST_BOTH : CLOSED_FIRST_NOBODY;
}

#endif

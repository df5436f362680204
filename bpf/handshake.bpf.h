/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Handshakes whose SYN-ACK was sent again: no hook tells when they are given up, only that no more is sent. */
#ifndef TCPTRAIL_HANDSHAKE_BPF_H
#define TCPTRAIL_HANDSHAKE_BPF_H

#include "counters.bpf.h"
#include "emit.bpf.h"

struct handshake {
	struct owner owner;
	__u64 ts; /* of the last SYN-ACK */
	__u64 given_up_ts; /* unless another SYN-ACK is sent before */
	__u64 cgroup_id;
	__u8 local_address[16];
	__u8 peer_address[16];
	__u32 network_namespace;
	__u32 uid;
	__u32 attempts;
	__u16 local_port;
	__u16 peer_port;
	__u8 family;
	__u8 reserved[7];
};

/*
 * Key: the cookie of the request, which will be the child's. Inserted: SYN-ACK retransmitted; what finds no room is
 * counted. Deleted: the child is established, or the handshake was told.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32768);
	__type(key, __u64);
	__type(value, struct handshake);
} handshakes SEC(".maps");

static __always_inline void handshake_done(__u64 cookie)
{
	bpf_map_delete_elem(&handshakes, &cookie);
}

/* How long the kernel waits for an answer to this SYN-ACK, with a quarter on top. */
static __always_inline __u64 handshake_wait_ns(struct request_sock *req, __u32 attempts)
{
	__u64 ns = NSEC_PER_SEC;

	if (bpf_core_field_exists(req->timeout) && tunables.jiffies_hz)
		ns = req->timeout * NSEC_PER_SEC / tunables.jiffies_hz;
	/* The count goes up after the tracepoint. */
	ns <<= attempts < 7 ? attempts : 7;
	if (ns > TCP_RTO_MAX_S * NSEC_PER_SEC)
		ns = TCP_RTO_MAX_S * NSEC_PER_SEC;
	return ns + ns / 4;
}

static __always_inline void handshake_retransmitted(__u64 cookie, struct sock *sk, struct request_sock *req)
{
	__u64 now = bpf_ktime_get_boot_ns();
	struct handshake *known = bpf_map_lookup_elem(&handshakes, &cookie), handshake;
	__u32 retransmits = BPF_CORE_READ_BITFIELD_PROBED(req, num_timeout) + 1;
	struct kernfs_node *cgroup;
	struct connection *c;

	if (known) {
		known->attempts++;
		known->ts = now;
		known->given_up_ts = now + handshake_wait_ns(req, retransmits);
		return;
	}
	__builtin_memset(&handshake, 0, sizeof(handshake));
	c = connection_of(sk);
	if (c)
		handshake.owner = c->owner;
	/* The first SYN-ACK, and this one. */
	handshake.attempts = 2;
	handshake.ts = now;
	handshake.given_up_ts = now + handshake_wait_ns(req, retransmits);
	handshake.uid = sk->sk_uid.val;
	cgroup = socket_cgroup(sk);
	if (cgroup)
		handshake.cgroup_id = BPF_CORE_READ(cgroup, id);
	endpoint_addresses(handshake.local_address, handshake.peer_address, &req->__req_common);
	handshake.family = req->__req_common.skc_family == AF_INET6 ? FAMILY_IPV6 : FAMILY_IPV4;
	handshake.network_namespace = req->__req_common.skc_net.net->ns.inum;
	handshake.local_port = req->__req_common.skc_num;
	handshake.peer_port = __builtin_bswap16(req->__req_common.skc_dport);
	if (bpf_map_update_elem(&handshakes, &cookie, &handshake, BPF_ANY))
		count_untracked();
}

#endif

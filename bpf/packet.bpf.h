/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Endpoints where there is no full socket: of a minisock, or of a packet that came in. */
#ifndef TCPTRAIL_PACKET_BPF_H
#define TCPTRAIL_PACKET_BPF_H

#include "counters.bpf.h"

#define ETH_P_IPV6 0x86dd
#define IPV4_SOURCE_AT 12
#define IPV6_SOURCE_AT 8
#define TCP_FLAGS_AT 13

static __always_inline void event_endpoints_probed(struct tcptrail_event *e, struct sock_common *skc)
{
	e->family = BPF_CORE_READ(skc, skc_family) == AF_INET6 ? FAMILY_IPV6 : FAMILY_IPV4;
	if (e->family == FAMILY_IPV6) {
		bpf_core_read(e->local_address, 16, &skc->skc_v6_rcv_saddr);
		bpf_core_read(e->peer_address, 16, &skc->skc_v6_daddr);
	} else {
		copy_ipv4(e->local_address, BPF_CORE_READ(skc, skc_rcv_saddr));
		copy_ipv4(e->peer_address, BPF_CORE_READ(skc, skc_daddr));
	}
	/* A closed socket has no number any more, a full socket keeps its port beside it. */
	e->local_port = BPF_CORE_READ(skc, skc_num);
	if (!e->local_port)
		e->local_port = __builtin_bswap16(BPF_CORE_READ((struct inet_sock *)skc, inet_sport));
	e->peer_port = __builtin_bswap16(BPF_CORE_READ(skc, skc_dport));
	e->network_namespace = BPF_CORE_READ(skc, skc_net.net, ns.inum);
}

/* The packet came in: its destination is this end. */
static __always_inline void event_endpoints_of_packet(struct tcptrail_event *e, struct sk_buff *skb)
{
	unsigned char *head = BPF_CORE_READ(skb, head);
	unsigned char *ip = head + BPF_CORE_READ(skb, network_header);
	struct {
		__be16 source;
		__be16 destination;
	} ports = {};
	struct {
		__be32 source;
		__be32 destination;
	} addresses = {};

	bpf_probe_read_kernel(&ports, sizeof(ports), head + BPF_CORE_READ(skb, transport_header));
	e->local_port = __builtin_bswap16(ports.destination);
	e->peer_port = __builtin_bswap16(ports.source);
	if (BPF_CORE_READ(skb, protocol) == __builtin_bswap16(ETH_P_IPV6)) {
		e->family = FAMILY_IPV6;
		bpf_probe_read_kernel(e->peer_address, 16, ip + IPV6_SOURCE_AT);
		bpf_probe_read_kernel(e->local_address, 16, ip + IPV6_SOURCE_AT + 16);
	} else {
		e->family = FAMILY_IPV4;
		bpf_probe_read_kernel(&addresses, sizeof(addresses), ip + IPV4_SOURCE_AT);
		copy_ipv4(e->peer_address, addresses.source);
		copy_ipv4(e->local_address, addresses.destination);
	}
	e->network_namespace = BPF_CORE_READ(skb, dev, nd_net.net, ns.inum);
}

/* It asked for a connection. */
static __always_inline bool packet_is_syn(struct sk_buff *skb)
{
	unsigned char *tcp = BPF_CORE_READ(skb, head) + BPF_CORE_READ(skb, transport_header);
	__u8 flags = 0;

	bpf_probe_read_kernel(&flags, sizeof(flags), tcp + TCP_FLAGS_AT);
	return (flags & (TCPHDR_SYN | TCPHDR_ACK)) == TCPHDR_SYN;
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * connect() that fails before there is a SYN: no route, a route that prohibits. No state changes then, and no hook
 * but this one sees it; a SYN takes the mark away again, what is left of it is told at the next attempt or at the end.
 */
#include "attempt.bpf.h"
#include "control.bpf.h"
#include "ending.bpf.h"
#include "found.bpf.h"

/* Runs in process context, with the socket locked, before the route is looked up. 4.17; link 5.7. */
static __always_inline int on_attempt(struct bpf_sock_addr *ctx, __u8 family)
{
	struct sock *sk = (struct sock *)ctx->sk;
	struct connection *c;
	struct tcp_sock *tp;

	/* An address of another family than the socket's names no peer. */
	if (ctx->protocol != IPPROTO_TCP || !sk || ctx->user_family != ctx->family || !is_recording())
		return 1;
	c = bpf_sk_storage_get(&connections, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	tp = bpf_skc_to_tcp_sock(sk);
	if (!c || !tp)
		return 1;
	sk = &tp->inet_conn.icsk_inet.sk;
	connection_adopt(sk, c, TCP_CLOSE);
	/* Only a closed socket comes here: of what it carried before, no program saw the end. */
	if (c->active)
		tell_late_end(sk, c, 1);
	tell_attempt(sk, c, bpf_get_socket_cookie(ctx));
	c->attempt.ts = bpf_ktime_get_boot_ns();
	c->attempt.peer_port = __builtin_bswap16(ctx->user_port);
	c->attempt.family = family;
	if (family == FAMILY_IPV4) {
		copy_ipv4(c->attempt.peer_address, ctx->user_ip4);
	} else {
		((__u32 *)c->attempt.peer_address)[0] = ctx->user_ip6[0];
		((__u32 *)c->attempt.peer_address)[1] = ctx->user_ip6[1];
		((__u32 *)c->attempt.peer_address)[2] = ctx->user_ip6[2];
		((__u32 *)c->attempt.peer_address)[3] = ctx->user_ip6[3];
	}
	c->owner.source = OWNER_SOURCE_UNKNOWN;
	owner_set_current(&c->owner, OWNER_SOURCE_CONNECT);
	return 1;
}

SEC("cgroup/connect4")
int connect4(struct bpf_sock_addr *ctx)
{
	return on_attempt(ctx, FAMILY_IPV4);
}

SEC("cgroup/connect6")
int connect6(struct bpf_sock_addr *ctx)
{
	return on_attempt(ctx, FAMILY_IPV6);
}

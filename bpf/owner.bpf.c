/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The process that first reads or writes is the owner, unless it was seen to connect. */
#include "control.bpf.h"
#include "tell.bpf.h"

/* A fast open waits in SYN_SENT for the first write: only that sends the SYN. */
static __always_inline void connection_starts_now(struct sock *sk, struct connection *c)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);

	if (tp && sk->__sk_common.skc_state == TCP_SYN_SENT && tp->snd_nxt == tp->snd_una)
		c->start_ts = bpf_ktime_get_boot_ns();
}

static __always_inline int on_io(struct sock *sk, struct connection *c)
{
	if (!c || !c->active || !is_recording())
		return 0;
	if (owner_is_worse(&c->owner, OWNER_SOURCE_FIRST_IO))
		owner_set_current(&c->owner, OWNER_SOURCE_FIRST_IO);
	if (!c->established_ts)
		connection_starts_now(sk, c);
	if (c->told == TOLD_NOTHING && open_is_due(c, bpf_ktime_get_boot_ns()))
		tell_open(sk, c);
	return 0;
}

/* Runs in process context, with the socket locked, when a read took bytes. 4.16. */
SEC("tp_btf/tcp_rcv_space_adjust")
int BPF_PROG(first_read, struct sock *sk)
{
	struct connection *c;
	struct tcp_sock *tp;

	if (!sk->sk_lock.owned)
		return 0;
	c = connection_of(sk);
	tp = c && c->fin_queued ? bpf_skc_to_tcp_sock(sk) : NULL;
	if (tp)
		c->data_segs_in_read = tp->data_segs_in;
	return on_io(sk, c);
}

/* Runs in process context, with the socket locked. 6.16. */
SEC("tp_btf/tcp_sendmsg_locked")
int BPF_PROG(first_send, struct sock *sk)
{
	return on_io(sk, connection_of(sk));
}

/* Runs in process context, socket not locked, for sockets of every protocol. 6.3. */
SEC("tp_btf/sock_send_length")
int BPF_PROG(first_send_length, struct sock *sk)
{
	return is_tcp(sk) ? on_io(sk, connection_of(sk)) : 0;
}

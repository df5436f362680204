/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Owners of the sockets that are older than the agent: reads every process's open files once. */
#include "found.bpf.h"
#include "owner.bpf.h"

static __always_inline struct sock *tcp_socket_of(struct file *file)
{
	struct socket *socket;
	struct sock *sk;

	socket = bpf_sock_from_file(file);
	if (!socket)
		return NULL;
	sk = socket->sk;
	return sk && is_tcp(sk) ? sk : NULL;
}

/* Runs in process context, the agent's; the socket is not locked, so what a state program wrote is left alone. 5.11. */
SEC("iter/task_file")
int scan_listeners(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct connection *c;
	struct listen_port key;
	struct sock *sk;
	__u8 one = 1;

	/* Both are NULL once, at the end. */
	if (!task || !file)
		return 0;
	sk = tcp_socket_of(file);
	if (!sk || sk->__sk_common.skc_state != TCP_LISTEN)
		return 0;
	key = listen_port_of(sk, __builtin_bswap16(sk->__sk_common.skc_num));
	bpf_map_update_elem(&listen_ports, &key, &one, BPF_ANY);
	c = connection_made(sk);
	if (!c)
		return 0;
	/* A listener has one; a child that is being made has none yet. */
	bpf_get_socket_cookie(sk);
	connection_adopt(sk, c, TCP_LISTEN);
	/* Its beginning was not seen, or told by an earlier agent. */
	if (!c->start_ts)
		c->told = TOLD_OPEN;
	if (c->owner.source == OWNER_SOURCE_UNKNOWN)
		owner_set(&c->owner, task, OWNER_SOURCE_SCAN);
	return 0;
}

/* Runs in process context, the agent's; the socket is not locked. 5.11. */
SEC("iter/task_file")
int scan_connections(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct connection *c;
	struct sock *sk;
	int state;

	if (!task || !file)
		return 0;
	sk = tcp_socket_of(file);
	if (!sk)
		return 0;
	state = sk->__sk_common.skc_state;
	if (state == TCP_LISTEN || state == TCP_CLOSE)
		return 0;
	c = connection_made(sk);
	if (!c)
		return 0;
	connection_adopt(sk, c, state);
	/* Not known, and not ended since. */
	if (!c->active && c->state == state) {
		bpf_get_socket_cookie(sk);
		connection_found(sk, c, state);
		/* Ended meanwhile, and told by the program that saw it. */
		if (c->state == TCP_CLOSE)
			__sync_val_compare_and_swap(&c->active, 1, 0);
	}
	if (c->owner.source == OWNER_SOURCE_UNKNOWN)
		owner_set(&c->owner, task, OWNER_SOURCE_SCAN);
	return 0;
}

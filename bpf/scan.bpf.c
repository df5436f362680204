/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Owners of the sockets that are older than the agent: reads every process's open files once. */
#include "owner.bpf.h"

struct listen_port {
	__u32 network_namespace;
	__u32 port;
};

/* Inserted: scan_listeners. Deleted: never; read by scan_connections alone. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, struct listen_port);
	__type(value, __u8);
} listen_ports SEC(".maps");

static __always_inline struct listen_port listen_port_of(struct sock *sk)
{
	struct listen_port key = {
		.network_namespace = sk->__sk_common.skc_net.net->ns.inum,
		.port = sk->__sk_common.skc_num,
	};

	return key;
}

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
	key = listen_port_of(sk);
	bpf_map_update_elem(&listen_ports, &key, &one, BPF_ANY);
	c = connection_made(sk);
	if (c && c->owner.source == OWNER_SOURCE_UNKNOWN)
		owner_set(&c->owner, task, OWNER_SOURCE_SCAN);
	return 0;
}

/*
 * A child copies its listener's backlog, which nothing but listen() sets. A port the kernel chose for connect() is
 * marked; one that was bound is a client's unless something listens on it: then the role is not known.
 */
static __always_inline __u8 role_found(struct sock *sk)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
	struct inet_bind_bucket *bucket;
	struct listen_port key;

	if (sk->__sk_common.skc_state == TCP_SYN_SENT)
		return ROLE_CLIENT;
	if (sk->sk_max_ack_backlog)
		return ROLE_SERVER;
	bucket = tp ? tp->inet_conn.icsk_bind_hash : NULL;
	if (bucket && bucket->fastreuse < 0)
		return ROLE_CLIENT;
	key = listen_port_of(sk);
	return bpf_map_lookup_elem(&listen_ports, &key) ? ROLE_UNKNOWN : ROLE_CLIENT;
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
	if (c->owner.source == OWNER_SOURCE_UNKNOWN)
		owner_set(&c->owner, task, OWNER_SOURCE_SCAN);
	if (c->active)
		return 0;
	c->role = role_found(sk);
	bpf_get_socket_cookie(sk);
	connection_found(c, state);
	return 0;
}

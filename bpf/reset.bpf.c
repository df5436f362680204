/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Remembers resets for the verdict. */
#include "connection.bpf.h"

/* Runs in softirq, or in process context for the backlog, with the socket locked, before → CLOSE. 4.16. */
SEC("tp_btf/tcp_receive_reset")
int BPF_PROG(receive_reset, struct sock *sk)
{
	struct connection *c = connection_of(sk);

	if (c)
		c->reset_received = 1;
	return 0;
}

/*
 * Runs in any context, often after → CLOSE. `sk` may be NULL or no full socket, which some verifiers do not know
 * (6.10 to 6.12 take the check away): nothing here reads it, and the helper refuses both. 4.16.
 */
SEC("tp_btf/tcp_send_reset")
int BPF_PROG(send_reset, struct sock *sk)
{
	struct connection *c;

	if (!sk)
		return 0;
	c = connection_of(sk);
	if (c)
		c->reset_sent = 1;
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What programs know of the kernel: its sockets, its tasks, and what they are called with.
 *
 * The kernel's structures, cut to the members that are read. Offsets are not these: the loader relocates every
 * access to the running kernel (CO-RE), so that members and their order only have to agree by name.
 */
#ifndef TCPTRAIL_KERNEL_H
#define TCPTRAIL_KERNEL_H

#include "kernel-constants.h"
#include "kernel-socket.h"
#include "kernel-task.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct seq_file;
struct bpf_map;

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__bpf_sk_storage_map {
	struct bpf_iter_meta *meta;
	struct bpf_map *map;
	struct sock *sk;
	void *value;
};

struct bpf_iter__bpf_map_elem {
	struct bpf_iter_meta *meta;
	struct bpf_map *map;
	void *key;
	void *value;
};

struct bpf_iter__task_file {
	struct task_struct *task;
	struct file *file;
};

#pragma clang attribute pop

/* Not the kernel's own memory but the program's context (uapi/linux/bpf.h): fixed offsets. */
struct bpf_sock;

struct bpf_sock_addr {
	__u32 user_family;
	__u32 user_ip4;
	__u32 user_ip6[4];
	__u32 user_port;
	__u32 family;
	__u32 type;
	__u32 protocol;
	__u32 msg_src_ip4;
	__u32 msg_src_ip6[4];
	__u64 sk; /* struct bpf_sock * */
};

struct bpf_raw_tracepoint_args {
	__u64 args[0];
};

/* After the types that they use. */
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#endif

/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Paths of executables and cgroups, taken while the process is there: it may be gone before anyone looks.
 *
 * A path is kept as its names, the last one first, each ended by a NUL.
 */
#ifndef TCPTRAIL_NAMES_BPF_H
#define TCPTRAIL_NAMES_BPF_H

#include "kernel.h"

#define NAME_BYTES_MAX 256
#define NAMES_BYTES_MAX 1008
#define NAMES_MAX 64

struct names {
	__u32 bytes;
	__u32 known; /* 0: deeper or longer than what is kept */
	char text[NAMES_BYTES_MAX];
};

/* A process between two execs. */
struct process_key {
	__u64 start_ts;
	__u32 pid;
	__u32 exec_id;
};

struct executable {
	struct process_key parent;
	struct names path;
};

/* Inserted: the first time a process, or its child, owns a socket. Deleted: the least recently used. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct process_key);
	__type(value, struct executable);
} executables SEC(".maps");

/* Key: cgroup id. Inserted: the first time it owns a socket. Deleted: the least recently used. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, struct names);
} cgroup_names SEC(".maps");

struct names_scratch {
	struct executable executable;
	__u64 taken;
};

/* Written by whoever took it: another task may run on this CPU before a program returns. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct names_scratch);
} names_scratch SEC(".maps");

static __always_inline struct names_scratch *scratch_take(void)
{
	__u32 zero = 0;
	struct names_scratch *scratch = bpf_map_lookup_elem(&names_scratch, &zero);

	return scratch && __sync_val_compare_and_swap(&scratch->taken, 0, 1) == 0 ? scratch : NULL;
}

static __always_inline void scratch_give(struct names_scratch *scratch)
{
	__sync_lock_test_and_set(&scratch->taken, 0);
}

static __always_inline bool names_add(struct names *names, const void *name)
{
	__u32 at = names->bytes;
	long length;

	if (at > NAMES_BYTES_MAX - NAME_BYTES_MAX)
		return 0;
	length = bpf_probe_read_kernel_str(&names->text[at], NAME_BYTES_MAX, name);
	if (length <= 0)
		return 0;
	names->bytes = at + length;
	return 1;
}

/* Up to the root of the mount namespace, as the process sees it. */
static __always_inline int names_of_file(struct names *names, struct file *file)
{
	struct dentry *dentry, *parent;
	struct mount *mount, *up;

	names->bytes = 0;
	names->known = 0;
	if (!file)
		return 0;
	dentry = BPF_CORE_READ(file, f_path.dentry);
	mount = (void *)BPF_CORE_READ(file, f_path.mnt) - bpf_core_field_offset(((struct mount *)0)->mnt);
	for (int i = 0; i < NAMES_MAX; i++) {
		parent = BPF_CORE_READ(dentry, d_parent);
		if (dentry == BPF_CORE_READ(mount, mnt.mnt_root)) {
			up = BPF_CORE_READ(mount, mnt_parent);
			if (up == mount) {
				names->known = 1;
				return 0;
			}
			dentry = BPF_CORE_READ(mount, mnt_mountpoint);
			mount = up;
			continue;
		}
		if (!names_add(names, BPF_CORE_READ(dentry, d_name.name)))
			return 0;
		/* Files of no folder: memfd. */
		if (parent == dentry) {
			names->known = 1;
			return 0;
		}
		dentry = parent;
	}
	return 0;
}

static __always_inline int names_of_cgroup(struct names *names, struct kernfs_node *node)
{
	struct kernfs_node *parent;

	names->bytes = 0;
	names->known = 0;
	for (int i = 0; i < NAMES_MAX; i++) {
		parent = bpf_core_field_exists(node->__parent) ? BPF_CORE_READ(node, __parent) :
								 BPF_CORE_READ(node, parent);
		if (!parent) {
			names->known = 1;
			return 0;
		}
		if (!names_add(names, BPF_CORE_READ(node, name)))
			return 0;
		node = parent;
	}
	return 0;
}

static __always_inline struct process_key process_key_of(struct task_struct *leader)
{
	struct process_key key = {
		.start_ts = BPF_CORE_READ(leader, start_boottime),
		.pid = BPF_CORE_READ(leader, tgid),
		.exec_id = BPF_CORE_READ(leader, self_exec_id),
	};

	return key;
}

static __always_inline void keep_executable(struct names_scratch *scratch, struct task_struct *leader)
{
	struct task_struct *parent = BPF_CORE_READ(leader, real_parent, group_leader);
	struct process_key key = process_key_of(leader);
	struct file *file = BPF_CORE_READ(leader, mm, exe_file);

	if (!file || bpf_map_lookup_elem(&executables, &key))
		return;
	scratch->executable.parent = process_key_of(parent);
	names_of_file(&scratch->executable.path, file);
	bpf_map_update_elem(&executables, &key, &scratch->executable, BPF_ANY);
}

/*
 * Global functions, addresses as numbers: the verifier checks each by itself, and not again for every path that leads
 * to a call. The process runs or is held: its memory is there.
 */
__noinline int keep_process(__u64 leader_address)
{
	struct task_struct *leader = (struct task_struct *)leader_address;
	struct names_scratch *scratch = scratch_take();

	if (!scratch)
		return 0;
	keep_executable(scratch, leader);
	keep_executable(scratch, BPF_CORE_READ(leader, real_parent, group_leader));
	scratch_give(scratch);
	return 0;
}

__noinline int keep_cgroup(__u64 node_address)
{
	struct kernfs_node *node = (struct kernfs_node *)node_address;
	struct names_scratch *scratch = scratch_take();
	__u64 id = BPF_CORE_READ(node, id);

	if (!scratch)
		return 0;
	names_of_cgroup(&scratch->executable.path, node);
	bpf_map_update_elem(&cgroup_names, &id, &scratch->executable.path, BPF_ANY);
	scratch_give(scratch);
	return 0;
}

#endif

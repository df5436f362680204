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
static __noinline int names_of_file(struct names *names, struct file *file)
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

static __noinline int names_of_cgroup(struct names *names, struct kernfs_node *node)
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
		.start_ts = leader->start_boottime,
		.pid = leader->tgid,
		.exec_id = leader->self_exec_id,
	};

	return key;
}

static __always_inline void remember_executable(struct names_scratch *scratch, const struct process_key *key,
						struct task_struct *task, const struct process_key *parent)
{
	struct mm_struct *mm = task->mm;

	if (bpf_map_lookup_elem(&executables, key) || !mm)
		return;
	scratch->executable.parent = *parent;
	names_of_file(&scratch->executable.path, mm->exe_file);
	bpf_map_update_elem(&executables, key, &scratch->executable, BPF_ANY);
}

/* `task` runs or is held: its memory is there. */
static __always_inline void remember_process(struct task_struct *task, struct task_struct *leader)
{
	struct process_key key = process_key_of(leader), parent_key, grandparent_key;
	struct task_struct *parent;
	struct names_scratch *scratch;

	if (bpf_map_lookup_elem(&executables, &key))
		return;
	scratch = scratch_take();
	if (!scratch)
		return;
	parent = leader->real_parent->group_leader;
	parent_key = process_key_of(parent);
	grandparent_key = process_key_of(parent->real_parent->group_leader);
	remember_executable(scratch, &key, task, &parent_key);
	remember_executable(scratch, &parent_key, parent, &grandparent_key);
	scratch_give(scratch);
}

static __always_inline void remember_cgroup(struct kernfs_node *node)
{
	struct names_scratch *scratch;
	__u64 id = BPF_CORE_READ(node, id);

	if (bpf_map_lookup_elem(&cgroup_names, &id))
		return;
	scratch = scratch_take();
	if (!scratch)
		return;
	names_of_cgroup(&scratch->executable.path, node);
	bpf_map_update_elem(&cgroup_names, &id, &scratch->executable.path, BPF_ANY);
	scratch_give(scratch);
}

#endif

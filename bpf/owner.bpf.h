/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Which process a connection belongs to, and on what evidence. */
#ifndef TCPTRAIL_OWNER_BPF_H
#define TCPTRAIL_OWNER_BPF_H

#include "connection.bpf.h"
#include "names.bpf.h"

/* The process is named by its leader: a thread's name and start say nothing about it. */
static __always_inline void owner_set(struct owner *owner, struct task_struct *task, __u8 source)
{
	struct task_struct *leader = task->group_leader;
	struct kernfs_node *cgroup = task->cgroups->dfl_cgrp->kn;
	struct process_key key;

	owner->pid = task->tgid;
	owner->process_start_ts = leader->start_boottime;
	owner->uid = task->cred->uid.val;
	owner->parent_pid = leader->real_parent->tgid;
	owner->exec_id = leader->self_exec_id;
	owner->cgroup_id = cgroup->id;
	bpf_probe_read_kernel(owner->comm, sizeof(owner->comm), leader->comm);
	owner->source = source;
	key.start_ts = owner->process_start_ts;
	key.pid = owner->pid;
	key.exec_id = owner->exec_id;
	if (!bpf_map_lookup_elem(&executables, &key))
		keep_process((__u64)BPF_CORE_READ(task, group_leader));
	if (!bpf_map_lookup_elem(&cgroup_names, &owner->cgroup_id))
		keep_cgroup((__u64)BPF_CORE_READ(task, cgroups, dfl_cgrp, kn));
}

/* `current` is the owner only where it holds the socket's lock; kernel threads own nothing. */
static __always_inline void owner_set_current(struct owner *owner, __u8 source)
{
	struct task_struct *task = bpf_get_current_task_btf();

	if (!(task->flags & PF_KTHREAD))
		owner_set(owner, task, source);
}

/* Sources are numbered best first; 0 is no evidence at all. */
static __always_inline bool owner_is_worse(const struct owner *owner, __u8 source)
{
	return owner->source == OWNER_SOURCE_UNKNOWN || owner->source > source;
}

/* Reads by probe: `sk` need not be a socket that the verifier knows. NULL: none. */
static __always_inline struct kernfs_node *socket_cgroup(struct sock *sk)
{
	struct sock_cgroup_data___word *word;
	struct cgroup *cgroup;
	__u64 value;

	if (!bpf_core_field_exists(sk->sk_cgrp_data))
		return NULL;
	if (bpf_core_field_exists(sk->sk_cgrp_data.cgroup)) {
		cgroup = BPF_CORE_READ(sk, sk_cgrp_data.cgroup);
	} else {
		word = (void *)&sk->sk_cgrp_data;
		value = BPF_CORE_READ(word, val);
		cgroup = value & 1 ? NULL : (struct cgroup *)value;
	}
	return cgroup ? BPF_CORE_READ(cgroup, kn) : NULL;
}

/* `owner`, or what the socket itself says: its user and cgroup are in the event already. */
static __always_inline void event_process(struct tcptrail_event *e, const struct owner *owner)
{
	if (owner && owner->source != OWNER_SOURCE_UNKNOWN) {
		e->owner_source = owner->source;
		e->pid = owner->pid;
		e->process_start_ts = owner->process_start_ts;
		e->uid = owner->uid;
		e->parent_pid = owner->parent_pid;
		e->exec_id = owner->exec_id;
		e->cgroup_id = owner->cgroup_id;
		__builtin_memcpy(e->comm, owner->comm, sizeof(e->comm));
	} else {
		e->owner_source = OWNER_SOURCE_SOCKET;
		e->uid = e->socket_uid;
		e->cgroup_id = e->socket_cgroup_id;
	}
}

static __always_inline void event_socket_cgroup(__u64 id, struct kernfs_node *cgroup)
{
	if (!bpf_map_lookup_elem(&cgroup_names, &id))
		keep_cgroup((__u64)cgroup);
}

/* `sk` is a full socket, perhaps one that the verifier does not know. */
static __always_inline void event_owner(struct tcptrail_event *e, struct sock *sk, const struct connection *c)
{
	struct kernfs_node *cgroup = socket_cgroup(sk);

	e->socket_uid = BPF_CORE_READ(sk, sk_uid.val);
	if (cgroup) {
		e->socket_cgroup_id = BPF_CORE_READ(cgroup, id);
		if (!c || c->owner.source == OWNER_SOURCE_UNKNOWN)
			event_socket_cgroup(e->socket_cgroup_id, cgroup);
	}
	event_process(e, c ? &c->owner : NULL);
}

#endif

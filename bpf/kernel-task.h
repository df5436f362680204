/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The kernel's processes, their cgroups and files, cut to the members that are read. */
#ifndef TCPTRAIL_KERNEL_TASK_H
#define TCPTRAIL_KERNEL_TASK_H

#include "kernel-constants.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
	__u32 val;
} kuid_t;

struct kernfs_node {
	struct kernfs_node *parent; /* until 6.14 */
	struct kernfs_node *__parent;
	const char *name;
	__u64 id;
};

struct cgroup {
	struct kernfs_node *kn;
};

struct qstr {
	const unsigned char *name;
};

struct dentry {
	struct dentry *d_parent;
	struct qstr d_name;
};

struct vfsmount {
	struct dentry *mnt_root;
};

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct file {
	struct path f_path;
};

struct mm_struct {
	struct file *exe_file;
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

struct cred {
	kuid_t uid;
};

struct task_struct {
	unsigned int flags;
	int tgid;
	struct task_struct *group_leader;
	struct task_struct *real_parent;
	const struct cred *cred;
	struct css_set *cgroups;
	__u64 start_boottime;
	__u64 self_exec_id;
	struct mm_struct *mm;
	char comm[16];
};

#pragma clang attribute pop

#endif

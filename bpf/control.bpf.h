/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Which kernel state records, and whether an agent is still there to read what it does. */
#ifndef TCPTRAIL_CONTROL_BPF_H
#define TCPTRAIL_CONTROL_BPF_H

#include "connection.bpf.h"
#include "emit.bpf.h"

/*
 * One for all states of an instance, also of other versions: what is new takes of what is reserved. Written by the
 * agent, but for what says otherwise.
 */
struct control {
	__u64 active; /* epoch of the state that records; 0: none. A state gives up by itself */
	__u64 beat; /* another value whenever the agent was there */
	__u64 absent_jiffies; /* without a new beat for so long, no agent is there */
	__u64 activated_ts; /* ns since boot: when `active` was set last */
	__u64 older; /* the active state goes on with storage of another */
	__u64 seen_beat; /* by the programs: the last one, and when it came */
	__u64 seen_jiffies;
	__u64 reserved[9];
};

volatile struct control control SEC(".data.control");

/* The record as this object writes it: what another version needs to read it. */
const char record_layout[] SEC(".rodata.layout") = TCPTRAIL_RECORD_LAYOUT;

/* No lock: whoever writes what was seen writes the same. */
static __always_inline bool is_recording(void)
{
	__u64 beat, now;

	if (control.active != tunables.epoch)
		return 0;
	beat = control.beat;
	now = bpf_jiffies64();
	if (beat != control.seen_beat) {
		control.seen_jiffies = now;
		control.seen_beat = beat;
		return 1;
	}
	if ((__s64)(now - control.seen_jiffies) < (__s64)control.absent_jiffies)
		return 1;
	/* Another state may have taken its place just now. */
	__sync_val_compare_and_swap(&control.active, tunables.epoch, 0);
	return 0;
}

/* Of one event both the state that was active and the one that is now may run, in this order. */
static __always_inline bool told_by_the_last_state(const struct connection *c, int new)
{
	return c->state == new && c->epoch != tunables.epoch &&
	       bpf_ktime_get_boot_ns() < control.activated_ts + NSEC_PER_SEC;
}

/* Nobody records: an agent that comes back says how much it was. */
static __always_inline void count_absent(void)
{
	__u32 cpu;
	struct account *account;

	if (control.active)
		return;
	account = account_here(&cpu);
	if (account)
		__sync_fetch_and_add(&account->absent, 1);
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Rings, and the account of every number given. */
#ifndef TCPTRAIL_EMIT_BPF_H
#define TCPTRAIL_EMIT_BPF_H

#include "event.gen.h"
#include "kernel.h"

/*
 * At rest seq = submitted + failed + filtered. A reader takes seq last: when they agree, nothing was between its
 * number and its ring when the first of them was read.
 */
struct account {
	__u64 seq;
	__u64 submitted;
	__u64 failed;
	__u64 filtered;
	__u64 untracked; /* state changes whose socket got no storage, handshakes that found no room */
	__u64 recovered; /* state changes told by the spare program, because the first was skipped */
	__u64 absent; /* state changes that came while no agent was there */
	__u64 failed_by[RING_COUNT][EVENT_KIND_COUNT];
} __attribute__((aligned(64)));

_Static_assert(__builtin_offsetof(struct account, failed_by) == 56, "failed_by");

/* One element a possible CPU, set by the loader. Never deleted; mapped by the agent and pinned. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct account);
} accounts SEC(".maps");

/* Sizes are set by the loader. Inserted: all programs. Deleted: the agent moves the consumer position. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} lifecycle SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} chatter SEC(".maps");

struct emission {
	struct account *account;
	struct tcptrail_event *event;
};

static __always_inline struct account *account_here(__u32 *cpu)
{
	*cpu = bpf_get_smp_processor_id();
	return bpf_map_lookup_elem(&accounts, cpu);
}

/*
 * Takes a number, then room in the ring; the event is zeroed and has kind, ts, cpu and seq. Programs do not
 * migrate, but another one may interrupt this on the same CPU: hence atomic, and the number before the room.
 */
static __always_inline struct emission emission_begin(__u32 kind, __u32 ring)
{
	struct emission emission = {};
	__u32 cpu;
	struct account *account = account_here(&cpu);
	struct tcptrail_event *event;
	__u64 seq;

	if (!account)
		return emission;
	seq = __sync_fetch_and_add(&account->seq, 1) + 1;
	if (ring == RING_LIFECYCLE)
		event = bpf_ringbuf_reserve(&lifecycle, sizeof(*event), 0);
	else
		event = bpf_ringbuf_reserve(&chatter, sizeof(*event), 0);
	if (!event) {
		/* The verifier forgets what the compiler knows: keep its check beside the index. */
		asm volatile("" : "+r"(kind));
		if (kind < EVENT_KIND_COUNT)
			__sync_fetch_and_add(&account->failed_by[ring][kind], 1);
		__sync_fetch_and_add(&account->failed, 1);
		return emission;
	}
	__builtin_memset(event, 0, sizeof(*event));
	event->ts = bpf_ktime_get_boot_ns();
	event->seq = seq;
	event->cpu = cpu;
	event->kind = kind;
	emission.account = account;
	emission.event = event;
	return emission;
}

static __always_inline void emission_end(struct emission *emission)
{
	bpf_ringbuf_submit(emission->event, BPF_RB_NO_WAKEUP);
	__sync_fetch_and_add(&emission->account->submitted, 1);
}

static __always_inline void count_untracked(void)
{
	__u32 cpu;
	struct account *account = account_here(&cpu);

	if (account)
		__sync_fetch_and_add(&account->untracked, 1);
}

static __always_inline void count_recovered(void)
{
	__u32 cpu;
	struct account *account = account_here(&cpu);

	if (account)
		__sync_fetch_and_add(&account->recovered, 1);
}

#endif

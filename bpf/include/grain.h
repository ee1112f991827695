/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The part of a generated header that is the same for all grains: included by
 * X.grain.h, after it has said INGRAIN_EVENTS, INGRAIN_PROBES and, when an
 * event needs scratch memory, INGRAIN_SLOTS, INGRAIN_SLOT_BODY and
 * INGRAIN_TAIL_ROOM.
 */
#ifndef GRAIN_H
#define GRAIN_H

/* Set by the loader before the programs are verified, constant from then on. */
const volatile struct ingrain_agent ingrain_agent = {};

/* The ring buffers of the agent, shared by its grains: the loader puts the agent's in place of this map. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct {
		__uint(type, BPF_MAP_TYPE_RINGBUF);
		__uint(max_entries, 4096);
	});
} ingrain_rings SEC(".maps");

/* The older transport, likewise shared. */
struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, 4);
	__uint(value_size, 4);
} ingrain_perf SEC(".maps");

/* The reader is about to sleep, or asleep: wake it. Likewise shared. */
__u32 ingrain_sleeping SEC(".data.reader");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, INGRAIN_EVENTS);
	__type(key, __u32);
	__type(value, struct ingrain_counts);
} ingrain_ledger SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, INGRAIN_PROBES);
	__type(key, __u32);
	__type(value, struct ingrain_missed);
} ingrain_missed SEC(".maps");

static __always_inline struct ingrain_counts *ingrain_counts(__u32 event)
{
	return bpf_map_lookup_elem(&ingrain_ledger, &event);
}

static __always_inline void ingrain_count_compat(__u32 probe)
{
	struct ingrain_missed *missed = bpf_map_lookup_elem(&ingrain_missed, &probe);

	if (missed)
		INGRAIN_COUNT(missed->compat);
}

/*
 * The registers of a system call, at sys_enter or sys_exit: NULL unless it is
 * call nr of a 64-bit program. compat is its number for 32-bit programs, whose
 * calls are counted.
 */
static __always_inline const struct pt_regs *ingrain_syscall(void *ctx, bool returned, int nr, int compat, __u32 probe)
{
	const struct pt_regs *regs = (const struct pt_regs *)ingrain_word(ctx, 0);
	int n = returned ? ingrain_syscall_nr(regs) : (int)ingrain_word(ctx, 8);

	if (n < 0 || (n != nr && n != compat)) /* -1 stands for a call that is not there */
		return NULL;
	if (!ingrain_compat())
		return n == nr ? regs : NULL;
	if (n == compat)
		ingrain_count_compat(probe);
	return NULL;
}

static __always_inline void ingrain_unpaired(__u32 probe)
{
	struct ingrain_missed *missed = bpf_map_lookup_elem(&ingrain_missed, &probe);

	if (missed)
		INGRAIN_COUNT(missed->unpaired);
}

#define count_missed() ingrain_unpaired(probe->index)

#define count_compat() ingrain_count_compat(probe->index)

static __always_inline void ingrain_head(struct ingrain_record *head, __u16 event, __u32 weight)
{
	head->time = bpf_ktime_get_ns();
	head->weight = weight;
	head->grain = ingrain_agent.grain;
	head->event = event;
}

static __always_inline void *ingrain_ring(void)
{
	__u32 ring = 0;

	if (ingrain_agent.rings > 1)
		ring = bpf_get_smp_processor_id() % ingrain_agent.rings;
	return bpf_map_lookup_elem(&ingrain_rings, &ring);
}

/*
 * Wakes the reader if it sleeps. The caller has committed a record, and the
 * exchange with which the kernel commits it is the barrier between that and
 * this look at the flag. The reader sets the flag, has a barrier of its own,
 * and looks for records: one of the two sees the other. What wakes it is a
 * record that is thrown away. The flag is lowered only when there is room for
 * that one, else nobody would wake the reader and nobody would know.
 */
static __always_inline void ingrain_wake(void *ring)
{
	void *nothing;

	if (!*(volatile __u32 *)&ingrain_sleeping)
		return;
	nothing = bpf_ringbuf_reserve(ring, 8, 0);
	if (!nothing)
		return;
	*(volatile __u32 *)&ingrain_sleeping = 0;
	bpf_ringbuf_discard(nothing, BPF_RB_FORCE_WAKEUP);
}

/*
 * What to submit a reserved record with. The caller has reserved it and then
 * counted it, and that addition is the barrier: either this sees the flag, or
 * the reader sees that a record has been reserved and does not sleep. On arm64
 * an addition whose result nobody uses is no barrier; there a reader that is
 * just falling asleep may miss a record, and finds it within 100 ms.
 */
static __always_inline __u64 ingrain_wakeup(void)
{
	if (!*(volatile __u32 *)&ingrain_sleeping)
		return BPF_RB_NO_WAKEUP;
	*(volatile __u32 *)&ingrain_sleeping = 0;
	return BPF_RB_FORCE_WAKEUP;
}

/* Room for a record in the ring buffer, or NULL, counted. */
static __always_inline void *ingrain_reserve(const __u64 size, struct ingrain_counts *counts)
{
	void *ring = ingrain_ring(), *record;

	if (!ring)
		return NULL;
	record = bpf_ringbuf_reserve(ring, size, 0);
	__sync_fetch_and_add(&counts->emitted, 1); /* the barrier that ingrain_wakeup asks for */
	if (!record)
		INGRAIN_COUNT(counts->lost);
	return record;
}

/* Sends size bytes at record, its head included, through the ring buffer, or through the perf buffer. */
static __always_inline void ingrain_send(void *ctx, struct ingrain_record *record, __u32 size, struct ingrain_counts *counts)
{
	void *ring;
	long err;

	if (ingrain_agent.rings == 0) {
		err = bpf_perf_event_output(ctx, &ingrain_perf, BPF_F_CURRENT_CPU, record, size);
		INGRAIN_COUNT(counts->emitted);
		if (err)
			INGRAIN_COUNT(counts->lost);
		return;
	}
	ring = ingrain_ring();
	if (!ring)
		return;
	err = bpf_ringbuf_output(ring, record, size, BPF_RB_NO_WAKEUP);
	INGRAIN_COUNT(counts->emitted);
	if (err)
		INGRAIN_COUNT(counts->lost);
	ingrain_wake(ring);
}

#ifdef INGRAIN_SLOT_BODY
/* Scratch memory: INGRAIN_SLOTS for each CPU, because probes nest and preempt one another. */

/* Behind the tail, one more name of a path: the verifier does not see that a name in front of another ends there. */
#define INGRAIN_SLOT_SLACK 256

struct ingrain_slot_full {
	struct ingrain_slot slot;
	char body[(INGRAIN_SLOT_BODY + INGRAIN_SLOT_SLACK + 7) / 8 * 8];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, INGRAIN_SLOTS); /* times the CPUs: the loader */
	__type(key, __u32);
	__type(value, struct ingrain_slot_full);
} ingrain_slots SEC(".maps");

/*
 * Takes a free slot of this CPU. With atomics that return the old value any
 * program may interrupt any other; kernels without them do not preempt
 * programs, and an interrupt gives back what it took before it returns. A
 * program that is alone is not interrupted by another.
 */
static __always_inline struct ingrain_slot *ingrain_take_slot(__u32 event)
{
	__u32 first = bpf_get_smp_processor_id() * INGRAIN_SLOTS;
	struct ingrain_counts *counts;

	for (int i = 0; i < INGRAIN_SLOTS; i++) {
		__u32 n = first + i;
		struct ingrain_slot *slot = bpf_map_lookup_elem(&ingrain_slots, &n);

		if (!slot)
			break;
		if (ingrain_agent.atomics && !ingrain_agent.alone) {
			if (__sync_lock_test_and_set(&slot->taken, 1) == 0)
				return slot;
		} else if (slot->taken == 0) {
			slot->taken = 1;
			return slot;
		}
	}
	counts = ingrain_counts(event);
	if (counts) {
		INGRAIN_COUNT(counts->seen);
		INGRAIN_COUNT(counts->errors);
	}
	return NULL;
}

static __always_inline void ingrain_give_slot(struct ingrain_slot *slot)
{
	*(volatile __u32 *)&slot->taken = 0;
}
#endif

#endif

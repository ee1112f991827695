/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The lives of TCP sockets, as the tracepoint sock/inet_sock_set_state tells
 * them: tcp_turn.
 */
#ifndef TCP_H
#define TCP_H

#include "inet.h"

/* Both are columns of rows: what they are called there is what they are called here. */
enum who_of { unknown, caller, listener, user };
enum role { either, client, server };

/* How an attempt to connect ended. */
enum outcome { established, failed, unsent, abandoned };

/*
 * What is known of a socket. Most changes of state happen in a softirq or, over
 * loopback, in the peer's own system call: the current task says who it is
 * only in connect(2) and listen(2), so it is noted there.
 */
struct tcp_note {
	struct owner who;
	enum who_of who_of;
	enum role role;
	moment_t since; /* the attempt began, then: the connection was established */
	__u64 own;      /* what the grain makes of it; 0 at first */
};

/*
 * A socket without a note, because it is older than the agent or this is full,
 * says unknown. A note goes when its socket closes; should the kernel have
 * skipped that (it does when a probe interrupts itself), the next socket at
 * the same address begins with a note of its own or none.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32768);
	__type(key, const struct sock *);
	__type(value, struct tcp_note);
} tcp_notes SEC(".maps");

/* What a change of state means to a grain. */
enum tcp_turn {
	TURN_NONE,
	TURN_LISTENS,   /* listen(2): the current task is the caller */
	TURN_ATTEMPTED, /* an attempt to connect ended: tcp_outcome */
	TURN_ACCEPTED,  /* a peer connected. The program may not have taken the connection yet */
	TURN_CLOSED,    /* a connection ended, for both sides or by a reset */
};

/* connect(2) or listen(2) itself: the current task is the caller. */
static __always_inline void ingrain_tcp_begun(const struct sock *sk, int state, struct tcp_note *note)
{
	fill_owner(&note->who);
	note->who_of = state == TCP_LISTEN ? listener : caller;
	note->role = state == TCP_LISTEN ? server : client;
	note->since = bpf_ktime_get_ns();
	bpf_map_update_elem(&tcp_notes, &sk, note, BPF_ANY);
}

/*
 * A socket for an incoming connection, in a softirq. It is still the bare copy
 * of its listener: the head of the empty list that it has copied points into
 * the listener, so listeners that share a port are told apart.
 */
static __always_inline void ingrain_tcp_born(const struct sock *sk)
{
	struct list_head *head = BPF_CORE_READ((const struct tcp_sock *)sk, tsorted_sent_queue.next);
	const struct sock *parent = (void *)head - bpf_core_field_offset(struct tcp_sock, tsorted_sent_queue);
	struct tcp_note *note = bpf_map_lookup_elem(&tcp_notes, &parent);

	if (note)
		bpf_map_update_elem(&tcp_notes, &sk, note, BPF_ANY);
	else
		bpf_map_delete_elem(&tcp_notes, &sk);
}

/* The note of a half-open socket. A listener's or server's at one that calls is a leftover of a socket before it. */
static __always_inline struct tcp_note *ingrain_tcp_half_open(const struct sock *sk, int oldstate)
{
	struct tcp_note *note = bpf_map_lookup_elem(&tcp_notes, &sk);

	if (note && oldstate == TCP_SYN_SENT && note->role != client)
		return NULL;
	return note;
}

/* The socket is open, or gone before it was. Of an incoming one that is gone nobody has heard. */
static __always_inline enum tcp_turn ingrain_tcp_opened(const struct sock *sk, int oldstate, bool gone, struct tcp_note *copy)
{
	struct tcp_note *note = ingrain_tcp_half_open(sk, oldstate);
	/* With crossing SYNs the side that called is in SYN_RECV too. */
	bool called = oldstate == TCP_SYN_SENT || (note && note->role == client);

	if (note)
		*copy = *note;
	copy->role = called ? client : server;
	if (gone) {
		bpf_map_delete_elem(&tcp_notes, &sk);
		return called ? TURN_ATTEMPTED : TURN_NONE;
	}
	if (note) {
		note->since = bpf_ktime_get_ns();
	} else {
		struct tcp_note fresh = {.role = copy->role, .since = bpf_ktime_get_ns()};

		bpf_map_update_elem(&tcp_notes, &sk, &fresh, BPF_ANY);
	}
	return called ? TURN_ATTEMPTED : TURN_ACCEPTED;
}

/*
 * What the change of a TCP socket's state means. note, which comes zeroed, is
 * what is known of the socket; its `since` is when the attempt began, or, at
 * TURN_CLOSED, when the connection was established, 0 for unknown. The socket's
 * lock is held: changes of one socket do not overlap.
 */
INGRAIN_ONCE enum tcp_turn tcp_turn(const struct sock *sk, int oldstate, int newstate, struct tcp_note *note)
{
	bool opening = oldstate == TCP_SYN_SENT || oldstate == TCP_SYN_RECV;

	if (!opening && oldstate != TCP_CLOSE && oldstate != TCP_LISTEN && newstate != TCP_CLOSE)
		return TURN_NONE; /* one step of an orderly end */
	if (BPF_CORE_READ(sk, sk_protocol) != IPPROTO_TCP)
		return TURN_NONE;
	if (newstate == TCP_SYN_SENT || newstate == TCP_LISTEN) {
		ingrain_tcp_begun(sk, newstate, note);
		return newstate == TCP_LISTEN ? TURN_LISTENS : TURN_NONE;
	}
	if (oldstate == TCP_LISTEN && newstate == TCP_SYN_RECV) {
		ingrain_tcp_born(sk);
		return TURN_NONE;
	}
	if (opening && newstate == TCP_SYN_RECV)
		return TURN_NONE;
	if (opening)
		return ingrain_tcp_opened(sk, oldstate, newstate == TCP_CLOSE, note);
	if (oldstate != TCP_LISTEN && oldstate != TCP_CLOSE) {
		struct tcp_note *known = bpf_map_lookup_elem(&tcp_notes, &sk);

		if (known)
			*note = *known;
	}
	bpf_map_delete_elem(&tcp_notes, &sk);
	return oldstate != TCP_LISTEN && oldstate != TCP_CLOSE ? TURN_CLOSED : TURN_NONE;
}

/* How an attempt ended, at TURN_ATTEMPTED; if it failed, *error says why. */
static __always_inline enum outcome tcp_outcome(const struct sock *sk, int newstate, errno_t *error)
{
	if (newstate != TCP_CLOSE)
		return established;
	*error = BPF_CORE_READ(sk, sk_err);
	if (*error)
		return failed;
	return BPF_CORE_READ((const struct tcp_sock *)sk, segs_out) == 0 ? unsent : abandoned;
}

/*
 * Bytes that the peer acknowledged. bytes_acked counts our SYN, when we sent
 * it before the connection stood, and our FIN, once acknowledged.
 */
static __always_inline bytes_t tcp_sent(const struct sock *sk, enum role role, int oldstate)
{
	const struct tcp_sock *tp = (const struct tcp_sock *)sk;
	bytes_t acked = BPF_CORE_READ(tp, bytes_acked);
	bool fin = oldstate == TCP_FIN_WAIT1 || oldstate == TCP_FIN_WAIT2 || oldstate == TCP_CLOSING || oldstate == TCP_LAST_ACK;

	if (acked && role == client)
		acked--;
	if (acked && fin && BPF_CORE_READ(tp, snd_una) == BPF_CORE_READ(tp, write_seq))
		acked--;
	return acked;
}

/* Bytes that arrived in order. bytes_received counts the peer's FIN, but not its SYN. */
static __always_inline bytes_t tcp_received(const struct sock *sk)
{
	bytes_t arrived = BPF_CORE_READ((const struct tcp_sock *)sk, bytes_received);

	if (arrived && BPF_CORE_READ(sk, __sk_common.skc_flags) & 1 << SOCK_DONE)
		arrived--;
	return arrived;
}

#endif

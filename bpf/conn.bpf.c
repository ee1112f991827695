// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// TCP connections: who opened them, to whom, how long they lasted, how much they moved.
#include "ingrain.h"
#include "inet.h"

enum who_of { unknown, caller, listener };
enum role { either, client, server };
enum outcome { established, failed, unsent, abandoned };

struct _data_connect {
	struct owner who;
	enum who_of who_of;
	ip_t local;
	port_t local_port;
	ip_t peer;
	port_t peer_port;
	enum outcome outcome;
	errno_t error;
	nsecs_t latency;
};

struct _data_accept {
	struct owner who;
	enum who_of who_of;
	ip_t local;
	port_t local_port;
	ip_t peer;
	port_t peer_port;
};

struct _data_listen {
	struct owner who;
	ip_t local;
	port_t local_port;
};

struct _data_close {
	struct owner who;
	enum who_of who_of;
	enum role role;
	ip_t local;
	port_t local_port;
	ip_t peer;
	port_t peer_port;
	errno_t error;
	nsecs_t duration;
	bytes_t sent;
	bytes_t received;
};

#include "conn.grain.h"

/*
 * What is known of a socket. Most changes of state happen in a softirq or, over
 * loopback, in the peer's own system call: the current task says who it is
 * only in connect(2) and listen(2), so it is noted there.
 */
struct note {
	struct owner who;
	enum who_of who_of;
	enum role role;
	moment_t since; /* the attempt began, then: the connection was established */
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
	__type(value, struct note);
} notes SEC(".maps");

/* connect(2) or listen(2) itself: the current task is the caller. */
static __always_inline void begun(struct probe *probe, const struct sock *sk, int state)
{
	struct note note = {};

	fill_owner(&note.who);
	if (state == TCP_LISTEN) {
		struct _data_listen *v = new_listen();

		note.who_of = listener;
		note.role = server;
		if (v) {
			v->who = note.who;
			fill_local(sk, &v->local, &v->local_port);
			emit_listen(v);
		}
	} else {
		note.who_of = caller;
		note.role = client;
		note.since = bpf_ktime_get_ns();
	}
	bpf_map_update_elem(&notes, &sk, &note, BPF_ANY);
}

/*
 * A socket for an incoming connection, in a softirq. It is still the bare copy
 * of its listener: the head of the empty list that it has copied points into
 * the listener, so listeners that share a port are told apart.
 */
static __always_inline void born(const struct sock *sk)
{
	struct list_head *head = BPF_CORE_READ((const struct tcp_sock *)sk, tsorted_sent_queue.next);
	const struct sock *parent = (void *)head - bpf_core_field_offset(struct tcp_sock, tsorted_sent_queue);
	struct note *note = bpf_map_lookup_elem(&notes, &parent);

	if (note)
		bpf_map_update_elem(&notes, &sk, note, BPF_ANY);
	else
		bpf_map_delete_elem(&notes, &sk);
}

static __always_inline void attempted(struct probe *probe, const struct sock *sk, const struct note *note, enum outcome outcome)
{
	struct _data_connect *v = new_connect();

	if (!v)
		return;
	if (note) {
		v->who = note->who;
		v->who_of = note->who_of;
		v->latency = bpf_ktime_get_ns() - note->since;
	}
	fill_ends(sk, &v->local, &v->local_port, &v->peer, &v->peer_port);
	v->outcome = outcome;
	if (outcome == failed)
		v->error = BPF_CORE_READ(sk, sk_err);
	emit_connect(v);
}

static __always_inline void accepted(struct probe *probe, const struct sock *sk, const struct note *note)
{
	struct _data_accept *v = new_accept();

	if (!v)
		return;
	if (note) {
		v->who = note->who;
		v->who_of = note->who_of;
	}
	fill_ends(sk, &v->local, &v->local_port, &v->peer, &v->peer_port);
	emit_accept(v);
}

/* The note of a half-open socket. A listener's or server's at one that calls is a leftover of a socket before it. */
static __always_inline struct note *half_open(const struct sock *sk, int oldstate)
{
	struct note *note = bpf_map_lookup_elem(&notes, &sk);

	if (note && oldstate == TCP_SYN_SENT && note->role != client)
		return NULL;
	return note;
}

/* Is this half-open socket the side that called connect(2)? With crossing SYNs it is in SYN_RECV too. */
static __always_inline bool called(const struct note *note, int oldstate)
{
	return oldstate == TCP_SYN_SENT || (note && note->role == client);
}

static __always_inline void opened(struct probe *probe, const struct sock *sk, int oldstate)
{
	struct note *note = half_open(sk, oldstate);
	bool outgoing = called(note, oldstate);

	if (outgoing)
		attempted(probe, sk, note, established);
	else
		accepted(probe, sk, note);
	if (note) {
		note->since = bpf_ktime_get_ns();
	} else {
		struct note fresh = {.role = outgoing ? client : server, .since = bpf_ktime_get_ns()};

		bpf_map_update_elem(&notes, &sk, &fresh, BPF_ANY);
	}
}

/* A half-open socket is gone. Of an incoming one nobody has heard. */
static __always_inline void refused(struct probe *probe, const struct sock *sk, int oldstate)
{
	struct note *note = half_open(sk, oldstate);
	enum outcome outcome = abandoned;

	if (called(note, oldstate)) {
		if (BPF_CORE_READ(sk, sk_err))
			outcome = failed;
		else if (BPF_CORE_READ((const struct tcp_sock *)sk, segs_out) == 0)
			outcome = unsent;
		attempted(probe, sk, note, outcome);
	}
	bpf_map_delete_elem(&notes, &sk);
}

/* bytes_acked counts our SYN, when we sent it before the connection stood, and our FIN, once acknowledged. */
static __always_inline bytes_t sent(const struct tcp_sock *tp, enum role role, int oldstate)
{
	bytes_t acked = BPF_CORE_READ(tp, bytes_acked);
	bool fin = oldstate == TCP_FIN_WAIT1 || oldstate == TCP_FIN_WAIT2 || oldstate == TCP_CLOSING || oldstate == TCP_LAST_ACK;

	if (acked && role == client)
		acked--;
	if (acked && fin && BPF_CORE_READ(tp, snd_una) == BPF_CORE_READ(tp, write_seq))
		acked--;
	return acked;
}

/* bytes_received counts the peer's FIN, but not its SYN. */
static __always_inline bytes_t received(const struct tcp_sock *tp)
{
	const struct sock *sk = (const struct sock *)tp;
	bytes_t arrived = BPF_CORE_READ(tp, bytes_received);

	if (arrived && BPF_CORE_READ(sk, __sk_common.skc_flags) & 1 << SOCK_DONE)
		arrived--;
	return arrived;
}

static __always_inline void closed(struct probe *probe, const struct sock *sk, int oldstate)
{
	struct note *note = bpf_map_lookup_elem(&notes, &sk);
	struct _data_close *v = new_close();

	if (v) {
		if (note) {
			v->who = note->who;
			v->who_of = note->who_of;
			v->role = note->role;
			if (note->since)
				v->duration = bpf_ktime_get_ns() - note->since;
		}
		fill_ends(sk, &v->local, &v->local_port, &v->peer, &v->peer_port);
		v->error = BPF_CORE_READ(sk, sk_err);
		v->sent = sent((const struct tcp_sock *)sk, v->role, oldstate);
		v->received = received((const struct tcp_sock *)sk);
		emit_close(v);
	}
	bpf_map_delete_elem(&notes, &sk);
}

/* The socket's lock is held: changes of one socket do not overlap. */
PROBE(changed, const struct sock *sk, int oldstate, int newstate)
{
	bool opening = oldstate == TCP_SYN_SENT || oldstate == TCP_SYN_RECV;

	if (!opening && oldstate != TCP_CLOSE && oldstate != TCP_LISTEN && newstate != TCP_CLOSE)
		return; /* one step of an orderly end */
	if (BPF_CORE_READ(sk, sk_protocol) != IPPROTO_TCP)
		return;
	if (newstate == TCP_SYN_SENT || newstate == TCP_LISTEN)
		begun(probe, sk, newstate);
	else if (oldstate == TCP_LISTEN && newstate == TCP_SYN_RECV)
		born(sk);
	else if (oldstate == TCP_LISTEN || oldstate == TCP_CLOSE)
		bpf_map_delete_elem(&notes, &sk);
	else if (!opening)
		closed(probe, sk, oldstate);
	else if (newstate == TCP_CLOSE)
		refused(probe, sk, oldstate);
	else if (newstate != TCP_SYN_RECV)
		opened(probe, sk, oldstate);
}

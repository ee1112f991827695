// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// TCP connections: who opened them, to whom, how long they lasted, how much they moved.
#include "ingrain.h"
#include "tcp.h"

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

static __always_inline void listens(struct probe *probe, const struct sock *sk, const struct tcp_note *note)
{
	struct _data_listen *v = new_listen();

	if (!v)
		return;
	v->who = note->who;
	fill_local(sk, &v->local, &v->local_port);
	emit_listen(v);
}

static __always_inline void attempted(struct probe *probe, const struct sock *sk, const struct tcp_note *note, int newstate)
{
	struct _data_connect *v = new_connect();

	if (!v)
		return;
	v->who = note->who;
	v->who_of = note->who_of;
	fill_ends(sk, &v->local, &v->local_port, &v->peer, &v->peer_port);
	v->outcome = tcp_outcome(sk, newstate, &v->error);
	if (note->since)
		v->latency = bpf_ktime_get_ns() - note->since;
	emit_connect(v);
}

static __always_inline void accepted(struct probe *probe, const struct sock *sk, const struct tcp_note *note)
{
	struct _data_accept *v = new_accept();

	if (!v)
		return;
	v->who = note->who;
	v->who_of = note->who_of;
	fill_ends(sk, &v->local, &v->local_port, &v->peer, &v->peer_port);
	emit_accept(v);
}

static __always_inline void closed(struct probe *probe, const struct sock *sk, const struct tcp_note *note, int oldstate)
{
	struct _data_close *v = new_close();

	if (!v)
		return;
	v->who = note->who;
	v->who_of = note->who_of;
	v->role = note->role;
	if (note->since)
		v->duration = bpf_ktime_get_ns() - note->since;
	fill_ends(sk, &v->local, &v->local_port, &v->peer, &v->peer_port);
	v->error = BPF_CORE_READ(sk, sk_err);
	v->sent = tcp_sent(sk, v->role, oldstate);
	v->received = tcp_received(sk);
	emit_close(v);
}

PROBE(changed, const struct sock *sk, int oldstate, int newstate)
{
	struct tcp_note note = {};

	switch (tcp_turn(sk, oldstate, newstate, &note)) {
	case TURN_NONE:
		break;
	case TURN_LISTENS:
		listens(probe, sk, &note);
		break;
	case TURN_ATTEMPTED:
		attempted(probe, sk, &note, newstate);
		break;
	case TURN_ACCEPTED:
		accepted(probe, sk, &note);
		break;
	case TURN_CLOSED:
		closed(probe, sk, &note, oldstate);
		break;
	}
}

// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What programs send and receive over TCP and UDP, and the lives of TCP connections.
#include "tcp.h"

/* include/linux/socket.h */
#define MSG_PEEK 2
#define MSG_ERRQUEUE 0x2000

#define SOCK_BINDPORT_LOCK 8 /* include/net/sock.h: bind(2) chose the port */
#define RESERVED_PORTS 1024  /* include/net/sock.h, PROT_SOCK: of the ports below it, services' */

#if defined(__TARGET_ARCH_x86)
#define NR_SPLICE 275
#else
#define NR_SPLICE 76
#endif

enum protocol { tcp, udp, mptcp };

struct _data_send {
	struct who who;
	ip_t peer;
	bytes_t size;
	port_t port;
	enum protocol protocol;
	enum role role;
};

struct _data_receive {
	struct who who;
	ip_t peer;
	bytes_t size;
	port_t port;
	enum protocol protocol;
	enum role role;
};

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
	__u32 retransmits;
};

struct _data_retransmit {
	struct owner who;
	enum who_of who_of;
	enum role role;
	ip_t peer;
	bytes_t size;
	port_t port;
};

#include "net.grain.h"

/* ---- what calls move ---- */

/* The other end of a datagram that its call has named, or was told of. */
struct address {
	const struct sock *sk;
	ip_t ip;
	port_t port;
};

/* Between whom a call moved something. */
struct flow {
	ip_t peer;
	port_t port;
	enum protocol protocol;
	enum role role;
};

/* What is ours, and how it is called; false for all other sockets. */
static __always_inline bool protocol_of(const struct sock *sk, enum protocol *protocol)
{
	__u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);

	if (family != AF_INET && family != AF_INET6)
		return false;
	switch (BPF_CORE_READ(sk, sk_protocol)) {
	case IPPROTO_TCP:
		*protocol = tcp;
		return true;
	case IPPROTO_UDP:
		*protocol = udp;
		return true;
	case IPPROTO_MPTCP:
		*protocol = mptcp;
		return true;
	}
	return false;
}

/* The role of a TCP socket that the current task uses. The first one to do so is whose it is from then on. */
static __always_inline enum role used(const struct sock *sk)
{
	struct tcp_note *note = bpf_map_lookup_elem(&tcp_notes, &sk);

	if (!note)
		return either;
	if (note->who_of == listener || note->who_of == unknown) {
		fill_owner(&note->who);
		note->who_of = user;
	}
	return note->role;
}

/*
 * UDP has no roles. Who let the kernel pick a port is a client; who chose one
 * is a server, unless it talks to a reserved port from one that is none, as
 * resolvers do, which choose theirs by chance.
 */
static __always_inline enum role udp_role(const struct sock *sk, port_t local, port_t peer)
{
	if (!(BPF_CORE_READ_BITFIELD_PROBED(sk, sk_userlocks) & SOCK_BINDPORT_LOCK))
		return client;
	return peer && peer < RESERVED_PORTS && local >= RESERVED_PORTS ? client : server;
}

/* named is the other end of this datagram, NULL for the one that the socket is connected to. */
INGRAIN_ONCE void fill_flow(struct flow *f, const struct sock *sk, const struct address *named)
{
	port_t local, peer;

	if (f->protocol == mptcp && bpf_core_field_exists(struct mptcp_sock, first))
		sk = BPF_CORE_READ((const struct mptcp_sock *)sk, first); /* its first path */
	if (named) {
		f->peer = named->ip;
		peer = named->port;
	} else {
		fill_peer(sk, &f->peer, &peer);
	}
	local = bpf_ntohs(BPF_CORE_READ((const struct inet_sock *)sk, inet_sport));
	f->role = f->protocol == udp ? udp_role(sk, local, peer) : used(sk);
	f->port = f->role == server ? local : peer;
}

/* Is that a call that moved something? An empty datagram is one, too. */
static __always_inline bool moved(long ret, enum protocol protocol)
{
	return ret > 0 || (ret == 0 && protocol == udp);
}

static __always_inline void sends(struct probe *probe, const struct sock *sk, enum protocol protocol, const struct address *named, long ret)
{
	struct flow f = {.protocol = protocol};
	struct _data_send *v = new_send();

	if (!v)
		return;
	fill_flow(&f, sk, named);
	v->peer = f.peer;
	v->port = f.port;
	v->protocol = f.protocol;
	v->role = f.role;
	v->size = ret;
	emit_send(v);
}

static __always_inline void receives(struct probe *probe, const struct sock *sk, enum protocol protocol, const struct address *named, long ret)
{
	struct flow f = {.protocol = protocol};
	struct _data_receive *v = new_receive();

	if (!v)
		return;
	fill_flow(&f, sk, named);
	v->peer = f.peer;
	v->port = f.port;
	v->protocol = f.protocol;
	v->role = f.role;
	v->size = ret;
	emit_receive(v);
}

/* ---- seen at functions ---- */

/* The address in a message, in the kernel's memory, when there is one. */
static __always_inline bool named_in(const struct msghdr *msg, struct address *a)
{
	const void *name = BPF_CORE_READ(msg, msg_name);

	if (!name || BPF_CORE_READ(msg, msg_namelen) <= 0)
		return false;
	fill_sockaddr(name, &a->ip, &a->port);
	return true;
}

PROBE(sent, const struct socket *sock, const struct msghdr *msg, int ret)
{
	const struct sock *sk = BPF_CORE_READ(sock, sk);
	struct address a = {};
	enum protocol protocol;
	bool named;

	if (!protocol_of(sk, &protocol) || !moved(ret, protocol))
		return;
	named = protocol == udp && named_in(msg, &a);
	sends(probe, sk, protocol, named ? &a : NULL, ret);
}

/* sendfile(2) and splice(2) before 6.5; since then they send messages. */
PROBE(sent_page, const struct sock *sk, int ret)
{
	enum protocol protocol;

	if (protocol_of(sk, &protocol) && moved(ret, protocol))
		sends(probe, sk, protocol, NULL, ret);
}

PROBE(received, const struct socket *sock, const struct msghdr *msg, int flags, int ret)
{
	const struct sock *sk = BPF_CORE_READ(sock, sk);
	struct address a = {};
	enum protocol protocol;
	bool named;

	if (flags & (MSG_PEEK | MSG_ERRQUEUE) || !protocol_of(sk, &protocol) || !moved(ret, protocol))
		return;
	named = protocol == udp && named_in(msg, &a);
	receives(probe, sk, protocol, named ? &a : NULL, ret);
}

/* splice(2) from a socket. */
PROBE(spliced, const struct socket *sock, ssize_t ret)
{
	const struct sock *sk = BPF_CORE_READ(sock, sk);
	enum protocol protocol;

	if (protocol_of(sk, &protocol) && moved(ret, protocol))
		receives(probe, sk, protocol, NULL, ret);
}

/* ---- the same without functions ---- */

/* The other end of the datagram that a thread's call is about, until that call has moved it. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, pid_t); /* a thread */
	__type(value, struct address);
} named SEC(".maps");

PROBE(named4, struct bpf_sock_addr *call)
{
	struct address a = {.sk = (const void *)call->sk};
	pid_t tid = (pid_t)bpf_get_current_pid_tgid();

	fill_called4(call, &a.ip, &a.port);
	bpf_map_update_elem(&named, &tid, &a, BPF_ANY);
}

PROBE(named6, struct bpf_sock_addr *call)
{
	struct address a = {.sk = (const void *)call->sk};
	pid_t tid = (pid_t)bpf_get_current_pid_tgid();

	fill_called6(call, &a.ip, &a.port);
	bpf_map_update_elem(&named, &tid, &a, BPF_ANY);
}

/* The address that this call has named for that socket. It is good for one. */
static __always_inline bool was_named(const struct sock *sk, struct address *a)
{
	pid_t tid = (pid_t)bpf_get_current_pid_tgid();
	struct address *kept = bpf_map_lookup_elem(&named, &tid);

	if (!kept)
		return false;
	*a = *kept;
	bpf_map_delete_elem(&named, &tid);
	return a->sk == sk;
}

PROBE(sent_length, const struct sock *sk, int ret)
{
	struct address a = {};
	enum protocol protocol;
	bool named;

	if (!protocol_of(sk, &protocol))
		return;
	named = protocol == udp && was_named(sk, &a);
	if (moved(ret, protocol))
		sends(probe, sk, protocol, named ? &a : NULL, ret);
}

/* How far a program has read, as its note keeps it: all that splice(2) does not move. */
#define READ_UP_TO (1ULL << 32)

PROBE(received_length, const struct sock *sk, int ret, int flags)
{
	struct address a = {};
	enum protocol protocol;
	bool named;

	if (!protocol_of(sk, &protocol))
		return;
	named = protocol == udp && was_named(sk, &a);
	if (flags & (MSG_PEEK | MSG_ERRQUEUE))
		return;
	if (protocol == tcp && ret >= 0) {
		struct tcp_note *note = bpf_map_lookup_elem(&tcp_notes, &sk);

		if (note)
			note->own = READ_UP_TO | BPF_CORE_READ((const struct tcp_sock *)sk, copied_seq);
	}
	if (moved(ret, protocol))
		receives(probe, sk, protocol, named ? &a : NULL, ret);
}

/* Is the current task in splice(2)? */
static __always_inline bool splicing(void)
{
	const struct pt_regs *regs = (const void *)bpf_task_pt_regs(bpf_get_current_task_btf());

	return ingrain_syscall_nr(regs) == NR_SPLICE && !ingrain_compat();
}

/*
 * A program, or the kernel for itself (a socket's upper protocol, in an
 * interrupt), has read from a TCP socket, whose lock is held. What splice(2)
 * took is what was read since somebody last received from it, or since it was
 * established. The peer's FIN counts as a byte, once it is read.
 */
PROBE(read_on, const struct sock *sk)
{
	const struct tcp_sock *tp = (const struct tcp_sock *)sk;
	struct tcp_note *note;
	__u32 from, to, end, size;

	if (!splicing() || BPF_CORE_READ((const struct inet_connection_sock *)sk, icsk_ulp_ops))
		return;
	note = bpf_map_lookup_elem(&tcp_notes, &sk);
	if (!note)
		return;
	to = BPF_CORE_READ(tp, copied_seq);
	end = BPF_CORE_READ(tp, rcv_nxt);
	from = note->own ? (__u32)note->own : end - (__u32)BPF_CORE_READ(tp, bytes_received);
	note->own = READ_UP_TO | to;
	size = to - from;
	if (size && to == end && BPF_CORE_READ(sk, __sk_common.skc_flags) & 1 << SOCK_DONE)
		size--;
	if (size)
		receives(probe, sk, tcp, NULL, size);
}

/* ---- the lives of TCP connections ---- */

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
	v->retransmits = BPF_CORE_READ((const struct tcp_sock *)sk, total_retrans);
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

PROBE(resent, const struct sock *sk, const struct sk_buff *skb)
{
	struct tcp_note *note = bpf_map_lookup_elem(&tcp_notes, &sk);
	struct _data_retransmit *v = new_retransmit();
	port_t local, peer;
	ip_t here;

	if (!v)
		return;
	if (note) {
		v->who = note->who;
		v->who_of = note->who_of;
		v->role = note->role;
	}
	fill_ends(sk, &here, &local, &v->peer, &peer);
	v->port = v->role == server ? local : peer;
	v->size = BPF_CORE_READ(skb, len);
	emit_retransmit(v);
}

/* ---- what is older than the agent ---- */

/* Ports that somebody listened on when the agent began, a bit for each. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, __u64);
} served SEC(".maps");

/*
 * Listeners are visited before all others. Of a connection that is at a port
 * which somebody listens on, ours is the server's end.
 */
PROBE(found, struct sock_common *sk_common)
{
	const struct sock *sk = (const struct sock *)sk_common;
	__u8 state = BPF_CORE_READ(sk, __sk_common.skc_state);
	struct tcp_note note = {.role = client};
	__u32 port, word;
	__u64 *ports;

	if (state == TCP_TIME_WAIT || state == TCP_CLOSE || state == TCP_NEW_SYN_RECV || state == TCP_SYN_SENT || state == TCP_SYN_RECV)
		return;
	port = bpf_ntohs(BPF_CORE_READ((const struct inet_sock *)sk, inet_sport));
	word = port / 64;
	ports = bpf_map_lookup_elem(&served, &word);
	if (!ports)
		return;
	if (state == TCP_LISTEN)
		*ports |= 1ULL << port % 64;
	else
		note.own = READ_UP_TO | BPF_CORE_READ((const struct tcp_sock *)sk, copied_seq);
	if (*ports >> port % 64 & 1)
		note.role = server;
	bpf_map_update_elem(&tcp_notes, &sk, &note, BPF_NOEXIST);
}

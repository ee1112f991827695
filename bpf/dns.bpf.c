// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Questions to the DNS and their answers, who asked, and how long it took.
#include "packet.h"
#include "raw.h"

enum who_of { unknown, sender, asker, server };
enum direction { out, in };
enum service { dns, mdns, llmnr };
enum transport { udp, tcp };
enum reason { no_message, gap, too_many, no_room };

#define MESSAGE 4096 /* bytes of a message that leave the kernel at most */
#define SEGMENT 4    /* messages that are looked for in a segment of TCP */
#define QUESTION 272 /* bytes that are kept of a question: a header and the longest name, 12 + 255 + 4 */
#define HEADER 12    /* RFC 1035, 4.1.1 */

/* Between whom a message goes. */
struct ends {
	enum direction direction;
	enum service service;
	enum transport transport;
	ip_t local;
	port_t local_port;
	ip_t peer;
	port_t peer_port;
};

/* What every event begins with; the two of messages are all alike. */
struct talk {
	struct owner who;
	enum who_of who_of;
	struct ends ends;
	bytes_t size;
	nsecs_t latency;
	__u16 id;
	__u16 tries;
};

struct _data_query {
	struct owner who;
	enum who_of who_of;
	enum direction direction;
	enum service service;
	enum transport transport;
	ip_t local;
	port_t local_port;
	ip_t peer;
	port_t peer_port;
	bytes_t size;
	nsecs_t latency;
	__u16 id;
	__u16 tries;
	raw(MESSAGE) message;
};

struct _data_answer {
	struct owner who;
	enum who_of who_of;
	enum direction direction;
	enum service service;
	enum transport transport;
	ip_t local;
	port_t local_port;
	ip_t peer;
	port_t peer_port;
	bytes_t size;
	nsecs_t latency;
	__u16 id;
	__u16 tries;
	raw(MESSAGE) message;
};

struct _data_unanswered {
	struct owner who;
	enum who_of who_of;
	enum direction direction;
	enum service service;
	enum transport transport;
	ip_t local;
	port_t local_port;
	ip_t peer;
	port_t peer_port;
	bytes_t size;
	nsecs_t waited;
	__u16 id;
	__u16 tries;
	raw(QUESTION) message;
};

struct _data_skip {
	enum reason reason;
	enum direction direction;
	enum transport transport;
};

#include "dns.grain.h"

/*
 * A question on its way. What asks is known by its socket. Who asks us may use
 * one of our sockets with others, so there the peer counts too; of our own
 * questions it does not, for NAT may have them answered by another address.
 */
struct key {
	__u64 cookie; /* of the socket */
	ip_t peer;    /* that asks us, else 0 */
	port_t peer_port;
	__u16 id;
	__u32 direction; /* of the question; of a stream, and STREAM */
};

#define STREAM 2

struct question {
	moment_t since; /* it was sent last */
	struct talk talk;
	__u32 length; /* of head */
	char head[QUESTION];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct key);
	__type(value, struct question);
} questions SEC(".maps");

/* A message of TCP that has not arrived, or has not been sent, as a whole. */
struct stream {
	moment_t since;
	__u32 next; /* the number of the byte that comes next */
	__u32 gone; /* bytes of the message that were seen, with the two of its length */
	__u8 bytes[2 + 2 * MESSAGE]; /* half of it for the verifier, which adds the most that may be there to the most that may come */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 128);
	__type(key, struct key); /* its cookie, and direction | STREAM */
	__type(value, struct stream);
} streams SEC(".maps");

/* All that waits, in the order of its beginning. What has ended since, or began anew, is passed over. */
struct turn {
	struct key key;
	moment_t since;
};

enum { BPF_MAP_TYPE_QUEUE = 22 }; /* include/uapi/linux/bpf.h */

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 16384);
	__uint(value_size, sizeof(struct turn));
} turns SEC(".maps");

/* Who last answered through a socket. That one is forgotten means only that it is unknown. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, struct owner);
} servers SEC(".maps");

/* New values of the maps, which are too large for a stack. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct stream);
} nothing SEC(".maps");

/* One message of a packet. */
struct message {
	struct ends ends;
	__u16 id;
	__u64 cookie;                /* of the socket */
	const struct stream *stream; /* where the message is, or NULL: it is in the packet */
	__u32 at;                    /* there */
	__u32 length;                /* its bytes that are there */
	__u32 size;                  /* all that it has */
	__u8 head[HEADER];
};

static __noinline int skip(struct probe *probe, enum direction direction, enum transport transport, enum reason reason)
{
	struct _data_skip *v = new_skip();

	if (!v)
		return 0;
	v->reason = reason;
	v->direction = direction;
	v->transport = transport;
	emit_skip(v);
	return 0;
}

static __always_inline __u16 number(const __u8 *at) { return at[0] << 8 | at[1]; }

/*
 * Can this be the head of a message? Whatever else uses the port is not ours
 * to send: operations that exist (RFC 1035, 1996, 2136, 8490), counts that fit a
 * message.
 */
static __always_inline bool plausible(const __u8 *head)
{
	__u8 opcode = head[2] >> 3 & 15;

	return opcode <= 6 && opcode != 3 && head[4] == 0 && head[6] < 16 && head[8] < 16 && head[10] < 16;
}

/*
 * Makes the verifier forget what it knows of memory on this way through the
 * program: it would look at all that follows once for each way.
 */
static __always_inline void forget(void *at, __u32 size) { bpf_probe_read_kernel(at, size, at); }

/* Who sends this: the current task does, unless an interrupt sends what TCP had to keep back. */
static __noinline int fill_out(struct __sk_buff *skb, struct talk *talk)
{
	if (talk->ends.transport == udp || sent_by_task(skb)) {
		fill_sender(&talk->who);
		talk->who_of = sender;
	} else {
		fill_socket(skb, &talk->who);
	}
	return 0;
}

static __noinline int fill_in(struct __sk_buff *skb, struct talk *talk, const struct message *m)
{
	const struct owner *owner = bpf_map_lookup_elem(&servers, &m->cookie);

	if (owner) {
		talk->who = *owner;
		talk->who_of = server;
	} else {
		fill_socket(skb, &talk->who);
	}
	return 0;
}

/* The key of a question, from it or from its answer. */
static __always_inline void key_of(struct key *key, const struct message *m, enum direction question)
{
	__builtin_memset(key, 0, sizeof(*key));
	key->cookie = m->cookie;
	key->id = m->id;
	key->direction = question;
	if (question == in) {
		key->peer = m->ends.peer;
		key->peer_port = m->ends.peer_port;
	}
}

/* ---- what waits for an answer, or for more bytes ---- */

/* Does it still wait, as it did when it got its turn? */
static __always_inline bool waits(const struct turn *turn)
{
	const struct question *q;
	const struct stream *s;

	if (turn->key.direction & STREAM) {
		s = bpf_map_lookup_elem(&streams, &turn->key);
		return s && s->since == turn->since;
	}
	q = bpf_map_lookup_elem(&questions, &turn->key);
	return q && q->since == turn->since;
}

static __always_inline void unanswered(struct probe *probe, const struct turn *turn, moment_t now)
{
	const struct question *q = bpf_map_lookup_elem(&questions, &turn->key);
	struct _data_unanswered *v;

	if (!q || !(v = new_unanswered()))
		return;
	*(struct talk *)v = q->talk;
	v->waited = now - turn->since;
	raw_kernel(v, message, q->head, q->length);
	emit_unanswered(v);
}

/* It has waited long enough. */
static __always_inline void give_up(struct probe *probe, const struct turn *turn, moment_t now)
{
	if (turn->key.direction & STREAM) {
		skip(probe, turn->key.direction & ~STREAM, tcp, gap);
		bpf_map_delete_elem(&streams, &turn->key);
		return;
	}
	unanswered(probe, turn, now);
	bpf_map_delete_elem(&questions, &turn->key);
}

/* Has it had its time? What began on another CPU may be younger than now. */
static __always_inline bool over(const struct turn *turn, moment_t now)
{
	return (__s64)(now - turn->since) >= (__s64)PARAM_timeout;
}

/* Ends what has waited too long, at most so much of it. */
static __always_inline void sweep(struct probe *probe, const int most)
{
	moment_t now = bpf_ktime_get_ns();

	for (int i = 0; i < most; i++) {
		struct turn turn;

		if (bpf_map_peek_elem(&turns, &turn) || (!over(&turn, now) && waits(&turn)))
			break;
		if (bpf_map_pop_elem(&turns, &turn))
			break;
		if (!waits(&turn))
			continue;
		if (over(&turn, now))
			give_up(probe, &turn, now);
		else /* another CPU has taken the one that was seen */
			bpf_map_push_elem(&turns, &turn, BPF_ANY);
	}
}

/* With each packet; in a function of its own, for its stack. */
static __noinline int sweep_some(struct probe *probe)
{
	sweep(probe, 2);
	return 0;
}

/* Gets a turn; when there are too many, the place of one that has ended. */
static __always_inline bool take_turn(struct turn *turn)
{
	struct turn old;

	if (!bpf_map_push_elem(&turns, turn, BPF_ANY))
		return true;
	if (!bpf_map_pop_elem(&turns, &old) && waits(&old))
		bpf_map_push_elem(&turns, &old, BPF_ANY); /* it goes last, and others come to the front */
	return !bpf_map_push_elem(&turns, turn, BPF_ANY);
}

/* Remembers a question until its answer comes, and notes how often it was sent. */
static __noinline int remember(struct __sk_buff *skb, const struct message *m, struct talk *talk, enum direction direction)
{
	struct turn turn = {};
	struct question *q;
	__u32 zero = 0, n;
	const void *empty;

	if (m->ends.service == mdns) { /* that has no ids, and anybody may answer */
		talk->tries = 1;
		return 1;
	}
	key_of(&turn.key, m, direction);
	q = bpf_map_lookup_elem(&questions, &turn.key);
	if (!q) {
		empty = bpf_map_lookup_elem(&nothing, &zero);
		if (!empty || bpf_map_update_elem(&questions, &turn.key, empty, BPF_NOEXIST))
			return 0;
		q = bpf_map_lookup_elem(&questions, &turn.key);
		if (!q)
			return 0;
	}
	turn.since = bpf_ktime_get_ns();
	talk->tries = q->talk.tries + 1;
	q->since = turn.since;
	q->talk = *talk;
	q->length = 0;
	n = m->length < QUESTION ? m->length : QUESTION;
	if (m->stream) {
		if (!bpf_probe_read_kernel(q->head, sizeof(q->head), &m->stream->bytes[2]))
			q->length = n;
	} else {
		n--;
		ingrain_keep(n);
		if (n < QUESTION && !bpf_skb_load_bytes(skb, m->at, q->head, n + 1))
			q->length = n + 1;
	}
	if (take_turn(&turn))
		return 1;
	talk->tries = 0;
	bpf_map_delete_elem(&questions, &turn.key);
	return 0;
}

/* Takes what is known of the question that a message answers; false when nothing is. */
static __noinline int matched(struct talk *talk, const struct message *m, enum direction direction)
{
	const struct question *q;
	struct key key;

	if (m->ends.service == mdns) /* which has no ids, and anybody may answer */
		return 0;
	if (direction == out && talk->who_of == sender)
		bpf_map_update_elem(&servers, &m->cookie, &talk->who, BPF_ANY);
	key_of(&key, m, direction == out ? in : out);
	q = bpf_map_lookup_elem(&questions, &key);
	if (!q)
		return 0;
	talk->latency = bpf_ktime_get_ns() - q->since;
	talk->tries = q->talk.tries;
	if (direction == in) {
		talk->who = q->talk.who;
		talk->who_of = q->talk.who_of == sender ? asker : q->talk.who_of;
	}
	bpf_map_delete_elem(&questions, &key);
	return 1;
}

/* ---- messages ---- */

static __noinline int report(struct probe *probe, struct __sk_buff *skb, const struct message *m, enum direction direction)
{
	bool answer = m->head[2] & 0x80;
	struct _data_query *v = answer ? (struct _data_query *)new_answer() : new_query();
	struct talk *talk = (struct talk *)v;

	if (!v)
		return 0;
	talk->ends = m->ends;
	talk->size = m->size;
	talk->id = m->id;
	if (direction == out)
		fill_out(skb, talk);
	else
		fill_in(skb, talk, m);
	if (answer)
		matched(talk, m, direction);
	else if (!remember(skb, m, talk, direction))
		skip(probe, direction, m->ends.transport, no_room);
	if (m->stream)
		raw_kernel(v, message, &m->stream->bytes[2], m->length);
	else
		raw_packet(v, message, skb, m->at, m->length);
	if (answer)
		emit_answer((struct _data_answer *)v);
	else
		emit_query(v);
	return 0;
}

/* ---- TCP: a length of two bytes before each message (RFC 1035, 4.2.2) ---- */

/* How many bytes of a segment were seen before: it is sent once more. */
static __always_inline __u32 seen(struct __sk_buff *skb, const struct carried *c, enum direction direction)
{
	struct bpf_sock *sk = skb->sk;
	struct bpf_tcp_sock *tp;
	__u32 sent, received;
	__s32 before;

	if (!sk || !(sk = bpf_sk_fullsock(sk)) || sk->state == TCP_LISTEN || !(tp = bpf_tcp_sock(sk)))
		return 0;
	sent = tp->snd_nxt;
	received = tp->rcv_nxt;
	ingrain_keep(sent); /* both are read: verifiers refuse a choice of where to read */
	ingrain_keep(received);
	before = (direction == out ? sent : received) - c->seq;
	return before > 0 ? before : 0;
}

static __noinline struct stream *begin(const struct key *key)
{
	struct turn turn = {.key = *key, .since = bpf_ktime_get_ns()};
	__u32 zero = 0;
	const void *empty = bpf_map_lookup_elem(&nothing, &zero);
	struct stream *s;

	if (!empty || bpf_map_update_elem(&streams, key, empty, BPF_ANY))
		return NULL;
	s = bpf_map_lookup_elem(&streams, key);
	if (!s)
		return NULL;
	s->since = turn.since;
	if (take_turn(&turn))
		return s;
	bpf_map_delete_elem(&streams, key);
	return NULL;
}

/* Gathers bytes of the packet, at most to the end of the message; returns how many. */
static __noinline int gather(struct __sk_buff *skb, struct stream *s, __u32 at, __u32 left)
{
	__u32 all = left, gone, want, n;

	if (s->gone < 2) { /* the length */
		n = left == 1 || s->gone == 1 ? 1 : 2;
		bpf_skb_load_bytes(skb, at, &s->bytes[s->gone & 1], n);
		at += n;
		left -= n;
		s->gone += n;
	}
	want = 2 + number(s->bytes) - s->gone;
	if (s->gone < 2 || !left || !want)
		return all - left;
	if (want > left)
		want = left;
	gone = s->gone;
	ingrain_keep(gone);
	if (gone < 2 + MESSAGE) {
		n = 2 + MESSAGE - gone; /* there is room for */
		if (n > want)
			n = want;
		n--;
		ingrain_keep(n);
		if (n < MESSAGE)
			bpf_skb_load_bytes(skb, at, &s->bytes[gone], n + 1);
	}
	s->gone = gone + want;
	return all - left + want;
}

/* Does a stream hold a message, as far as it leaves the kernel? */
static __always_inline bool whole(const struct stream *s)
{
	return s->gone >= 2 && s->gone >= 2 + number(s->bytes);
}

/* What is left of a segment of TCP. */
struct segment {
	__u32 at;   /* in the packet */
	__u32 left; /* bytes */
	__u32 end;  /* the number of the byte behind it */
	__s32 why;  /* the reason why some of it is not reported; -1: none */
	struct key key; /* of its stream */
};

/* Takes one message of a segment, or what it has of one; returns whether there is more. */
static __noinline int step(struct probe *probe, struct __sk_buff *skb, struct segment *g, struct message *m, enum direction direction)
{
	struct stream *s = bpf_map_lookup_elem(&streams, &g->key);
	__u32 n;

	if (!s)
		s = begin(&g->key);
	if (!s) {
		g->why = no_room;
		return 0;
	}
	n = gather(skb, s, g->at, g->left);
	g->at += n;
	g->left -= n;
	s->next = g->end - g->left;
	if (!whole(s))
		return 0;
	m->size = m->length = number(s->bytes);
	if (m->length > MESSAGE)
		m->length = MESSAGE;
	if (m->length < HEADER || bpf_probe_read_kernel(m->head, HEADER, &s->bytes[2]) || !plausible(m->head)) {
		g->why = no_message;
		g->left = 0;
	} else {
		m->id = number(m->head);
		m->stream = s;
		report(probe, skb, m, direction);
		m->stream = NULL;
	}
	bpf_map_delete_elem(&streams, &g->key);
	forget(g, sizeof(*g));
	return g->left;
}

/* A segment holds messages, parts of them, or both. */
static __noinline int segment(struct probe *probe, struct __sk_buff *skb, const struct carried *c, struct message *m, enum direction direction)
{
	struct segment g = {
		.at = c->at, .left = c->size, .end = c->seq + c->size, .why = -1, .key = {.cookie = m->cookie, .direction = direction | STREAM},
	};
	struct stream *s = bpf_map_lookup_elem(&streams, &g.key);
	__u32 again = 0;

	if (!s) {
		again = seen(skb, c, direction);
	} else if ((__s32)(s->next - c->seq) >= 0) {
		again = s->next - c->seq;
	} else { /* bytes are missing */
		skip(probe, direction, tcp, gap);
		bpf_map_delete_elem(&streams, &g.key);
	}
	if (again >= g.left)
		return 0;
	g.at += again;
	g.left -= again;
	forget(&g, sizeof(g));
	for (int i = 0; i < SEGMENT && step(probe, skb, &g, m, direction); i++)
		;
	if (g.left && g.why < 0)
		g.why = too_many;
	if (g.why >= 0)
		skip(probe, direction, tcp, g.why);
	return 0;
}

static __always_inline int service_of(port_t port)
{
	switch (port) {
	case 53:
		return dns;
	case 5353: /* RFC 6762 */
		return mdns;
	case 5355: /* RFC 4795 */
		return llmnr;
	}
	return port == PARAM_port ? dns : -1;
}

/* The port that a socket is connected to, also when NAT has given the packet another. */
static __always_inline port_t connected(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;

	return sk ? bpf_ntohs(sk->dst_port) : 0;
}

static __always_inline void packet(struct probe *probe, struct __sk_buff *skb, enum direction direction)
{
	struct message m = {};
	struct carried c;
	__u8 protocol;
	void *header = transport_header(skb, &protocol);
	int service;

	if (!header)
		return;
	service = service_of(port_to(header));
	if (service < 0)
		service = service_of(port_from(header));
	if (service < 0 && direction == out)
		service = service_of(connected(skb));
	if (service < 0 || !read_carried(skb, header, protocol, &c) || !c.size)
		return;
	m.ends.direction = direction;
	m.ends.service = service;
	m.ends.transport = protocol == IPPROTO_TCP ? tcp : udp;
	m.ends.local_port = direction == out ? port_from(header) : port_to(header);
	m.ends.peer_port = direction == out ? port_to(header) : port_from(header);
	if (direction == out)
		read_ends(skb, &m.ends.local, &m.ends.peer);
	else
		read_ends(skb, &m.ends.peer, &m.ends.local);
	m.cookie = bpf_get_socket_cookie(skb);
	forget(&m.ends.service, sizeof(m.ends) - __builtin_offsetof(struct ends, service));
	forget(&c, sizeof(c));
	sweep_some(probe);
	if (protocol == IPPROTO_TCP) {
		segment(probe, skb, &c, &m, direction);
		return;
	}
	m.at = c.at;
	m.size = m.length = c.size;
	if (c.size < HEADER || bpf_skb_load_bytes(skb, c.at, m.head, HEADER) || !plausible(m.head))
		skip(probe, direction, udp, no_message);
	else if (skb->gso_segs > 1)
		skip(probe, direction, udp, too_many); /* datagrams in one packet, which a card takes apart */
	else {
		m.id = number(m.head);
		report(probe, skb, &m, direction);
	}
}

PROBE(came, struct __sk_buff *skb)
{
	packet(probe, skb, in);
}

PROBE(went, struct __sk_buff *skb)
{
	packet(probe, skb, out);
}

/* Of threads there are always some: each visit ends a little of what waits too long while no packet comes. */
PROBE(swept, struct task_struct *task)
{
	sweep(probe, 4);
}

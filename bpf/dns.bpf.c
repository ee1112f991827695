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

/* What every event begins with. */
struct talk {
	struct owner who;
	enum who_of who_of;
	struct ends ends;
	bytes_t size;
	__u16 id;
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
	__u16 id;
	nsecs_t latency;
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
	__u16 id;
	__u16 tries;
	nsecs_t waited;
	raw(QUESTION) message;
};

struct _data_skip {
	enum reason reason;
	enum direction direction;
	enum transport transport;
};

struct bpf_map;

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
	__u16 tries;
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
 * Makes the verifier forget what value x has on this way through the program:
 * it would look at all that follows once for each.
 */
#define forget(x) bpf_probe_read_kernel(&(x), sizeof(x), &(x))

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
	v->tries = q->tries;
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
static __noinline int take_turn(struct turn *turn)
{
	struct turn old;

	if (!bpf_map_push_elem(&turns, turn, BPF_ANY))
		return true;
	if (!bpf_map_pop_elem(&turns, &old) && waits(&old))
		bpf_map_push_elem(&turns, &old, BPF_ANY); /* it goes last, and others come to the front */
	return !bpf_map_push_elem(&turns, turn, BPF_ANY);
}

/* Remembers a question until its answer comes, and says how often it was sent; 0: there is no room. */
static __noinline int remember(struct __sk_buff *skb, const struct message *m, const struct talk *talk)
{
	struct turn turn = {};
	struct question *q;
	__u32 zero = 0, n;
	const void *empty = bpf_map_lookup_elem(&nothing, &zero);

	key_of(&turn.key, m, m->ends.direction);
	q = bpf_map_lookup_elem(&questions, &turn.key);
	if (!q) {
		if (!empty || bpf_map_update_elem(&questions, &turn.key, empty, BPF_NOEXIST))
			return 0;
		q = bpf_map_lookup_elem(&questions, &turn.key);
		if (!q)
			return 0;
	}
	turn.since = bpf_ktime_get_ns();
	q->since = turn.since;
	q->tries++;
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
		return q->tries;
	bpf_map_delete_elem(&questions, &turn.key);
	return 0;
}

/* ---- messages ---- */

/* Takes what is known of the question that a message answers, and returns how long ago it was sent; 0 when nothing is. */
static __noinline nsecs_t matched(struct talk *talk, const struct message *m)
{
	const struct question *q;
	nsecs_t latency;
	struct key key;

	if (m->ends.service == mdns) /* which has no ids, and anybody may answer */
		return 0;
	key_of(&key, m, m->ends.direction == out ? in : out);
	q = bpf_map_lookup_elem(&questions, &key);
	if (!q)
		return 0;
	latency = bpf_ktime_get_ns() - q->since;
	if (m->ends.direction == in) {
		talk->who = q->talk.who;
		if (q->talk.who_of == sender)
			talk->who_of = asker;
	}
	bpf_map_delete_elem(&questions, &key);
	return latency;
}

static __always_inline void fill(struct talk *talk, const struct message *m)
{
	talk->ends = m->ends;
	talk->size = m->size;
	talk->id = m->id;
}

static __noinline int asked(struct probe *probe, struct __sk_buff *skb, const struct message *m)
{
	struct _data_query *v = new_query();
	int tries;

	if (!v)
		return 0;
	fill((struct talk *)v, m);
	if (m->ends.direction == out)
		fill_out(skb, (struct talk *)v);
	else
		fill_in(skb, (struct talk *)v, m);
	if (m->ends.service != mdns) {
		tries = remember(skb, m, (struct talk *)v);
		v->tries = tries;
		if (!tries)
			skip(probe, m->ends.direction, m->ends.transport, no_room);
	}
	if (m->stream)
		raw_kernel(v, message, &m->stream->bytes[2], m->length);
	else
		raw_packet(v, message, skb, m->at, m->length);
	emit_query(v);
	return 0;
}

static __noinline int answered(struct probe *probe, struct __sk_buff *skb, const struct message *m)
{
	struct _data_answer *v = new_answer();

	if (!v)
		return 0;
	fill((struct talk *)v, m);
	v->latency = matched((struct talk *)v, m);
	if (m->ends.direction == out) {
		fill_out(skb, (struct talk *)v);
		if (v->who_of == sender)
			bpf_map_update_elem(&servers, &m->cookie, &v->who, BPF_ANY);
	} else if (!v->latency) {
		fill_in(skb, (struct talk *)v, m);
	}
	if (m->stream)
		raw_kernel(v, message, &m->stream->bytes[2], m->length);
	else
		raw_packet(v, message, skb, m->at, m->length);
	emit_answer(v);
	return 0;
}

static __always_inline void report(struct probe *probe, struct __sk_buff *skb, struct message *m)
{
	m->id = number(m->head);
	if (m->head[2] & 0x80)
		answered(probe, skb, m);
	else
		asked(probe, skb, m);
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
	__u32 all = left, want, gone, n;

	if (s->gone == 0 && left) {
		bpf_skb_load_bytes(skb, at++, &s->bytes[0], 1);
		s->gone = 1;
		left--;
	}
	if (s->gone == 1 && left) {
		bpf_skb_load_bytes(skb, at++, &s->bytes[1], 1);
		s->gone = 2;
		left--;
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

/* A segment holds messages, parts of them, or both. */
static __noinline int segment(struct probe *probe, struct __sk_buff *skb, const struct carried *c, struct message *m)
{
	struct key key = {.cookie = m->cookie, .direction = m->ends.direction | STREAM};
	struct stream *s = bpf_map_lookup_elem(&streams, &key);
	__u32 at = c->at, left = c->size, again;
	int why = -1;

	if (s && (__s32)(s->next - c->seq) < 0) { /* bytes are missing */
		skip(probe, m->ends.direction, m->ends.transport, gap);
		bpf_map_delete_elem(&streams, &key);
		s = NULL;
	}
	again = s ? s->next - c->seq : seen(skb, c, m->ends.direction);
	if (again >= left)
		return 0;
	at += again;
	left -= again;
	for (int i = 0; i < 4 && left; i++) {
		__u32 n;

		if (!s)
			s = begin(&key);
		if (!s) {
			why = no_room;
			break;
		}
		n = gather(skb, s, at, left);
		at += n;
		left -= n;
		s->next = c->seq + c->size - left;
		if (!whole(s))
			continue;
		m->stream = s;
		m->size = m->length = number(s->bytes);
		if (m->length > MESSAGE)
			m->length = MESSAGE;
		if (m->length < HEADER || bpf_probe_read_kernel(m->head, HEADER, &s->bytes[2]) || !plausible(m->head)) {
			why = no_message;
			left = 0;
		} else {
			report(probe, skb, m);
		}
		bpf_map_delete_elem(&streams, &key);
		s = NULL;
	}
	if (left && why < 0)
		why = too_many;
	if (why >= 0)
		skip(probe, m->ends.direction, m->ends.transport, why);
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
	forget(m.ends);
	forget(c);
	sweep_some(probe);
	if (protocol == IPPROTO_TCP) {
		segment(probe, skb, &c, &m);
		return;
	}
	m.at = c.at;
	m.size = m.length = c.size;
	if (c.size < HEADER || bpf_skb_load_bytes(skb, c.at, m.head, HEADER) || !plausible(m.head))
		skip(probe, direction, udp, no_message);
	else if (skb->gso_segs > 1)
		skip(probe, direction, udp, too_many); /* datagrams in one packet, which a card takes apart */
	else
		report(probe, skb, &m);
}

PROBE(came, struct __sk_buff *skb)
{
	packet(probe, skb, in);
}

PROBE(went, struct __sk_buff *skb)
{
	packet(probe, skb, out);
}

/* Of maps there are always some: each visit ends what waits too long while no packet comes. */
PROBE(swept, struct bpf_map *map)
{
	sweep(probe, 64);
}

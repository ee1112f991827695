// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// HTTP/1 requests that the machine's programs send.
#include "packet.h"
#include "raw.h"

struct _data_request {
	ip_t to;
	raw(512) head; /* the first bytes of the request; Head of grains/request reads them */
	port_t to_port;
};

#include "request.grain.h"

/* The method of a request is upper-case letters: three of them, and one or a space (RFC 9110, 9.1). */
static __always_inline bool is_request(struct __sk_buff *skb, __u32 at)
{
	char word[4];

	if (bpf_skb_load_bytes(skb, at, word, sizeof(word)))
		return false;
	for (int i = 0; i < 3; i++)
		if (word[i] < 'A' || word[i] > 'Z')
			return false;
	return word[3] == ' ' || (word[3] >= 'A' && word[3] <= 'Z');
}

PROBE(sent, struct __sk_buff *skb)
{
	struct _data_request *v;
	struct carried c;
	__u8 protocol;
	ip_t from;
	void *header = transport_header(skb, &protocol);

	if (!header || protocol != IPPROTO_TCP || !read_carried(skb, header, protocol, &c) || !is_request(skb, c.at))
		return;
	v = new_request();
	if (!v)
		return;
	if (!read_ends(skb, &from, &v->to))
		return;
	v->to_port = port_to(header);
	raw_packet(v, head, skb, c.at, c.size);
	emit_request(v);
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the headers of an IP packet say: read_packet for a struct __sk_buff,
 * read_frame for a struct xdp_md.
 */
#ifndef PACKET_H
#define PACKET_H

#include "inet.h"

#define ETH_HLEN 14 /* include/uapi/linux/if_ether.h */
#define ETH_P_IP 0x0800
#define ETH_P_IPV6 0x86dd

struct packet {
	ip_t from, to;
	port_t from_port, to_port; /* of TCP and UDP, in all but later fragments; else 0 */
	__u8 protocol;             /* IPPROTO_TCP ...; of IPv6 what the first header says */
};

struct ingrain_ip4 { /* RFC 791 */
	__u8 version_length, tos;
	__be16 length, id, fragment;
	__u8 ttl, protocol;
	__sum16 checksum;
	__be32 from, to;
};

struct ingrain_ip6 { /* RFC 8200 */
	__be32 version;
	__be16 length;
	__u8 protocol, hops;
	ip_t from, to;
};

/* Each takes what a header says, and returns where the ports are behind its beginning, 0 for nowhere. */
static __always_inline __u32 ingrain_take_ip4(struct packet *p, const struct ingrain_ip4 *ip)
{
	ip_from_ip4(&p->from, ip->from);
	ip_from_ip4(&p->to, ip->to);
	p->protocol = ip->protocol;
	if ((ip->fragment & bpf_htons(0x1fff)) || (ip->protocol != IPPROTO_TCP && ip->protocol != IPPROTO_UDP))
		return 0;
	return (ip->version_length & 15) * 4;
}

static __always_inline __u32 ingrain_take_ip6(struct packet *p, const struct ingrain_ip6 *ip)
{
	p->from = ip->from;
	p->to = ip->to;
	p->protocol = ip->protocol;
	return ip->protocol == IPPROTO_TCP || ip->protocol == IPPROTO_UDP ? sizeof(*ip) : 0;
}

/* Reads a packet wherever it is a struct __sk_buff; false when it is no IP packet, or cut short. */
static __always_inline bool read_packet(struct __sk_buff *skb, struct packet *p)
{
	__be16 ports[2] = {};
	__u32 at;

	__builtin_memset(p, 0, sizeof(*p));
	if (skb->protocol == bpf_htons(ETH_P_IP)) {
		struct ingrain_ip4 ip;

		if (bpf_skb_load_bytes_relative(skb, 0, &ip, sizeof(ip), BPF_HDR_START_NET))
			return false;
		at = ingrain_take_ip4(p, &ip);
	} else if (skb->protocol == bpf_htons(ETH_P_IPV6)) {
		struct ingrain_ip6 ip;

		if (bpf_skb_load_bytes_relative(skb, 0, &ip, sizeof(ip), BPF_HDR_START_NET))
			return false;
		at = ingrain_take_ip6(p, &ip);
	} else {
		return false;
	}
	if (at && bpf_skb_load_bytes_relative(skb, at, ports, sizeof(ports), BPF_HDR_START_NET))
		return false;
	p->from_port = bpf_ntohs(ports[0]);
	p->to_port = bpf_ntohs(ports[1]);
	return true;
}

/* Reads an Ethernet frame where it lies, in xdp; false when it holds no IP packet, or is cut short. */
static __always_inline bool read_frame(struct xdp_md *xdp, struct packet *p)
{
	void *data = (void *)(long)xdp->data, *end = (void *)(long)xdp->data_end, *ip = data + ETH_HLEN;
	__be16 *ports;
	__u32 at;

	__builtin_memset(p, 0, sizeof(*p));
	if (ip > end)
		return false;
	switch (*(__be16 *)(data + 12)) {
	case bpf_htons(ETH_P_IP):
		if (ip + sizeof(struct ingrain_ip4) > end)
			return false;
		at = ingrain_take_ip4(p, ip);
		break;
	case bpf_htons(ETH_P_IPV6):
		if (ip + sizeof(struct ingrain_ip6) > end)
			return false;
		at = ingrain_take_ip6(p, ip);
		break;
	default:
		return false;
	}
	if (!at)
		return true;
	ports = ip + at;
	if ((void *)(ports + 2) > end)
		return false;
	p->from_port = bpf_ntohs(ports[0]);
	p->to_port = bpf_ntohs(ports[1]);
	return true;
}

#endif

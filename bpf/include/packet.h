/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the headers of an IP packet say: read_packet for a struct __sk_buff,
 * read_frame for a struct xdp_md; at cgroup_skb, transport_header and
 * read_carried for what TCP and UDP carry.
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

/* include/uapi/linux/tcp.h, the 14th byte of the header */
enum { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4 };

#define TCP_HLEN 20 /* bytes of a header without options */
#define UDP_HLEN 8

/*
 * The header of TCP or UDP of a packet at cgroup_skb, of which the first 8
 * bytes can be read: both ports. NULL when there is none, as in a later
 * fragment of IP. Of IPv6 it goes past four headers that may stand between.
 */
static __always_inline void *transport_header(struct __sk_buff *skb, __u8 *protocol)
{
	void *ip = (void *)(long)skb->data, *end = (void *)(long)skb->data_end, *at = NULL;

	*protocol = 0;
	if (skb->protocol == bpf_htons(ETH_P_IP)) {
		struct ingrain_ip4 *ip4 = ip;

		if (ip + sizeof(*ip4) > end || (ip4->fragment & bpf_htons(0x1fff)))
			return NULL;
		*protocol = ip4->protocol;
		at = ip + (ip4->version_length & 15) * 4;
	} else if (skb->protocol == bpf_htons(ETH_P_IPV6)) {
		struct ingrain_ip6 *ip6 = ip;

		if (ip + sizeof(*ip6) > end)
			return NULL;
		*protocol = ip6->protocol;
		at = ip + sizeof(*ip6);
		for (int i = 0; i < 4; i++) { /* RFC 8200: hop-by-hop, routing, destination options */
			__u8 *head = at;

			if (*protocol != 0 && *protocol != 43 && *protocol != 60)
				break;
			if (at + 8 > end)
				return NULL;
			*protocol = head[0];
			at += 8 + head[1] * 8;
		}
	} else {
		return NULL;
	}
	if ((*protocol != IPPROTO_TCP && *protocol != IPPROTO_UDP) || at + 8 > end)
		return NULL;
	return at;
}

static __always_inline port_t port_from(const void *header) { return bpf_ntohs(((const __be16 *)header)[0]); }
static __always_inline port_t port_to(const void *header) { return bpf_ntohs(((const __be16 *)header)[1]); }

/* Where a packet comes from and where it goes; skb is one of which transport_header has found the header. */
static __always_inline bool read_ends(struct __sk_buff *skb, ip_t *from, ip_t *to)
{
	void *ip = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;

	if (skb->protocol == bpf_htons(ETH_P_IP)) {
		const struct ingrain_ip4 *ip4 = ip;

		if (ip + sizeof(*ip4) > end)
			return false;
		ip_from_ip4(from, ip4->from);
		ip_from_ip4(to, ip4->to);
	} else {
		const struct ingrain_ip6 *ip6 = ip;

		if (ip + sizeof(*ip6) > end)
			return false;
		*from = ip6->from;
		*to = ip6->to;
	}
	return true;
}

/* What a packet of TCP or UDP carries. */
struct carried {
	__u32 at;   /* where it begins, from the IP header: bpf_skb_load_bytes reads it there */
	__u32 size; /* bytes */
	__u32 seq;  /* TCP: the number of its first byte */
	__u8 flags; /* TCP: TCP_SYN ... */
};

/* Reads it; header and protocol are what transport_header gave. False when it is cut short. */
static __always_inline bool read_carried(struct __sk_buff *skb, const void *header, __u8 protocol, struct carried *c)
{
	void *ip = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;

	c->at = header - ip + UDP_HLEN;
	c->seq = 0;
	c->flags = 0;
	if (protocol == IPPROTO_TCP) {
		const __u8 *tcp = header;

		if (header + TCP_HLEN > end)
			return false;
		c->flags = tcp[13];
		c->seq = bpf_ntohl(((const __be32 *)header)[1]);
		if (c->flags & TCP_SYN)
			c->seq++;
		c->at = header - ip + (tcp[12] >> 4) * 4;
	}
	if (skb->len < c->at)
		return false;
	c->size = skb->len - c->at;
	return true;
}

/* What bpf_tcp_sock gives (include/uapi/linux/bpf.h), as far as it is in use. */
struct bpf_tcp_sock {
	__u32 snd_cwnd, srtt_us, rtt_min, snd_ssthresh;
	__u32 rcv_nxt, snd_nxt; /* the numbers of the bytes that come next, and that are sent next */
};

/* Members that kernel.h does not have: include/net/sock.h. */
struct sock_lock___packet {
	int owned;
} __attribute__((preserve_access_index));

struct sock___packet {
	struct sock_lock___packet sk_lock;
} __attribute__((preserve_access_index));

/*
 * Is the current task in a system call on the TCP socket that sends this packet
 * (cgroup_skb/egress)? It holds the socket's lock then, and nobody else sends
 * meanwhile: an interrupt leaves to it what there is to send.
 */
static __always_inline bool sent_by_task(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;
	__u64 address = 0;

	/* Through memory: a pointer to a socket is for verifiers no address to read at. */
	if (!sk || bpf_probe_read_kernel(&address, sizeof(address), &sk))
		return false;
	return BPF_CORE_READ((struct sock___packet *)address, sk_lock.owned);
}

/* Fills an owner from the current task, at cgroup_skb, which lacks helpers that fill_owner calls. */
static __always_inline void fill_sender(struct owner *owner)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();

	owner->cgroup = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
	BPF_CORE_READ_INTO(&owner->comm, task, comm);
	owner->pid = BPF_CORE_READ(task, tgid);
	owner->tid = BPF_CORE_READ(task, pid);
	owner->ppid = BPF_CORE_READ(task, real_parent, tgid);
	owner->uid = BPF_CORE_READ(task, cred, uid.val);
}

/* Fills what the packet's socket itself says of its owner: whose it is, not which process. */
static __always_inline void fill_socket(struct __sk_buff *skb, struct owner *owner)
{
	owner->cgroup = bpf_skb_cgroup_id(skb);
	owner->uid = bpf_get_socket_uid(skb);
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Both ends of an internet socket.
 */
#ifndef INET_H
#define INET_H

#include "ingrain.h"

#define AF_INET 2      /* include/linux/socket.h */
#define AF_INET6 10
#define IPPROTO_TCP 6  /* include/uapi/linux/in.h */
#define IPPROTO_UDP 17
#define IPPROTO_MPTCP 262
#define SOCK_DONE 1    /* include/net/sock.h, enum sock_flags: the peer's FIN has arrived */

/* include/net/tcp_states.h */
enum {
	TCP_ESTABLISHED = 1,
	TCP_SYN_SENT = 2,
	TCP_SYN_RECV = 3,
	TCP_FIN_WAIT1 = 4,
	TCP_FIN_WAIT2 = 5,
	TCP_TIME_WAIT = 6,
	TCP_CLOSE = 7,
	TCP_LAST_ACK = 9,
	TCP_LISTEN = 10,
	TCP_CLOSING = 11,
	TCP_NEW_SYN_RECV = 12,
};

/* An IPv4 address as ::ffff:a.b.c.d. */
static __always_inline void ip_from_ip4(ip_t *ip, __be32 ip4)
{
	ip->word[0] = 0;
	ip->word[1] = 0;
	ip->word[2] = bpf_htonl(0xffff);
	ip->word[3] = ip4;
}

static __always_inline void ingrain_local(const struct sock *sk, bool ip6, ip_t *ip, port_t *port)
{
	if (ip6)
		BPF_CORE_READ_INTO(ip, sk, __sk_common.skc_v6_rcv_saddr);
	else
		ip_from_ip4(ip, BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr));
	*port = bpf_ntohs(BPF_CORE_READ((const struct inet_sock *)sk, inet_sport));
}

static __always_inline void ingrain_peer(const struct sock *sk, bool ip6, ip_t *ip, port_t *port)
{
	if (ip6)
		BPF_CORE_READ_INTO(ip, sk, __sk_common.skc_v6_daddr);
	else
		ip_from_ip4(ip, BPF_CORE_READ(sk, __sk_common.skc_daddr));
	*port = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
}

static __always_inline bool ingrain_is_ip6(const struct sock *sk)
{
	return BPF_CORE_READ(sk, __sk_common.skc_family) == AF_INET6;
}

/*
 * The socket's own address and port. The port is inet_sport, which stays when
 * skc_num has been given back because the connection ended.
 */
static __always_inline void fill_local(const struct sock *sk, ip_t *ip, port_t *port)
{
	ingrain_local(sk, ingrain_is_ip6(sk), ip, port);
}

/* The address and port that the socket is connected to. */
static __always_inline void fill_peer(const struct sock *sk, ip_t *ip, port_t *port)
{
	ingrain_peer(sk, ingrain_is_ip6(sk), ip, port);
}

/* Both, for a little less. */
INGRAIN_ONCE void fill_ends(const struct sock *sk, ip_t *local, port_t *local_port, ip_t *peer, port_t *peer_port)
{
	bool ip6 = ingrain_is_ip6(sk);

	ingrain_local(sk, ip6, local, local_port);
	ingrain_peer(sk, ip6, peer, peer_port);
}

struct ingrain_sockaddr { /* include/uapi/linux/in.h, in6.h */
	__u16 family;
	__be16 port;
	__be32 ip4; /* of IPv6 the flow */
	ip_t ip6;
};

/* The address and port in a struct sockaddr of the kernel, which is one of IPv4 unless it says IPv6. */
static __always_inline void fill_sockaddr(const void *sockaddr, ip_t *ip, port_t *port)
{
	struct ingrain_sockaddr a = {};

	bpf_probe_read_kernel(&a, sizeof(a), sockaddr);
	if (a.family == AF_INET6)
		*ip = a.ip6;
	else
		ip_from_ip4(ip, a.ip4);
	*port = bpf_ntohs(a.port);
}

/* The address and port in the call at cgroup/connect4, sendmsg4, recvmsg4. */
static __always_inline void fill_called4(struct bpf_sock_addr *call, ip_t *ip, port_t *port)
{
	ip_from_ip4(ip, call->user_ip4);
	*port = bpf_ntohs((__be16)call->user_port);
}

/* The same at cgroup/connect6, sendmsg6, recvmsg6, where an IPv4 address is ::ffff:a.b.c.d. */
static __always_inline void fill_called6(struct bpf_sock_addr *call, ip_t *ip, port_t *port)
{
	ip->word[0] = call->user_ip6[0];
	ip->word[1] = call->user_ip6[1];
	ip->word[2] = call->user_ip6[2];
	ip->word[3] = call->user_ip6[3];
	*port = bpf_ntohs((__be16)call->user_port);
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What programs are given that are not at a function or tracepoint: structs
 * of the kernel's interface for users (include/uapi/linux/bpf.h), which are the
 * same in every kernel. A program may read only some of their members; which,
 * depends on its type. The kernel rewrites each access, so there is nothing to
 * read through BPF_CORE_READ. IP addresses are in network byte order.
 */
#ifndef CONTEXT_H
#define CONTEXT_H

/* A pointer, 64 bits wide whatever the compiler thinks of it. */
#define ingrain_ctx_ptr(type, name) \
	union {                     \
		type *name;         \
		__u64 : 64;         \
	} __attribute__((aligned(8)))

struct bpf_flow_keys;
struct tcphdr;

/* A packet: cgroup_skb, tcx, socket. */
struct __sk_buff {
	__u32 len; /* bytes */
	__u32 pkt_type;
	__u32 mark;
	__u32 queue_mapping;
	__u32 protocol; /* ETH_P_IP ..., network byte order */
	__u32 vlan_present;
	__u32 vlan_tci;
	__u32 vlan_proto;
	__u32 priority;
	__u32 ingress_ifindex;
	__u32 ifindex;
	__u32 tc_index;
	__u32 cb[5];
	__u32 hash;
	__u32 tc_classid;
	__u32 data; /* an address, as is data_end */
	__u32 data_end;
	__u32 napi_id;
	__u32 family;
	__u32 remote_ip4;
	__u32 local_ip4;
	__u32 remote_ip6[4];
	__u32 local_ip6[4];
	__u32 remote_port; /* network byte order, in the upper half of a word: bpf_ntohl */
	__u32 local_port;  /* host byte order */
	__u32 data_meta;
	ingrain_ctx_ptr(struct bpf_flow_keys, flow_keys);
	__u64 tstamp;
	__u32 wire_len;
	__u32 gso_segs;
	ingrain_ctx_ptr(struct bpf_sock, sk);
};

/* A socket: cgroup/sock_create, where it has no addresses yet. */
struct bpf_sock {
	__u32 bound_dev_if;
	__u32 family;   /* AF_INET ... */
	__u32 type;     /* SOCK_STREAM ... */
	__u32 protocol; /* IPPROTO_TCP ... */
	__u32 mark;
	__u32 priority;
	__u32 src_ip4;
	__u32 src_ip6[4];
	__u32 src_port; /* host byte order */
	__be16 dst_port;
	__u16 : 16;
	__u32 dst_ip4;
	__u32 dst_ip6[4];
	__u32 state;
	__s32 rx_queue_mapping;
};

/* What has become of a TCP socket: sockops. */
struct bpf_sock_ops {
	__u32 op; /* enum sockops_op */
	union {
		__u32 args[4];
		__u32 reply;
		__u32 replylong[4];
	};
	__u32 family;
	__u32 remote_ip4;
	__u32 local_ip4;
	__u32 remote_ip6[4];
	__u32 local_ip6[4];
	__u32 remote_port; /* network byte order, in the upper half of a word: bpf_ntohl */
	__u32 local_port;  /* host byte order */
	__u32 is_fullsock;
	__u32 snd_cwnd;
	__u32 srtt_us; /* eighths of microseconds */
	__u32 bpf_sock_ops_cb_flags;
	__u32 state;
	__u32 rtt_min;
	__u32 snd_ssthresh;
	__u32 rcv_nxt;
	__u32 snd_nxt;
	__u32 snd_una;
	__u32 mss_cache;
	__u32 ecn_flags;
	__u32 rate_delivered;
	__u32 rate_interval_us;
	__u32 packets_out;
	__u32 retrans_out;
	__u32 total_retrans;
	__u32 segs_in;
	__u32 data_segs_in;
	__u32 segs_out;
	__u32 data_segs_out;
	__u32 lost_out;
	__u32 sacked_out;
	__u32 sk_txhash;
	__u64 bytes_received;
	__u64 bytes_acked;
};

/* Those that come unasked; others after bpf_sock_ops_cb_flags_set. */
enum sockops_op {
	BPF_SOCK_OPS_TIMEOUT_INIT = 1,
	BPF_SOCK_OPS_RWND_INIT = 2,
	BPF_SOCK_OPS_TCP_CONNECT_CB = 3,
	BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB = 4,
	BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB = 5,
	BPF_SOCK_OPS_NEEDS_ECN = 6,
	BPF_SOCK_OPS_BASE_RTT = 7,
};

/* A packet for which a socket is looked for, none being connected to its sender: sk_lookup. */
struct bpf_sk_lookup {
	ingrain_ctx_ptr(struct bpf_sock, sk);
	__u32 family;
	__u32 protocol;
	__u32 remote_ip4;
	__u32 remote_ip6[4];
	__be16 remote_port;
	__u16 : 16;
	__u32 local_ip4;
	__u32 local_ip6[4];
	__u32 local_port; /* host byte order */
};

/* What a CPU was at when a counter overflowed: perf_event. */
#if defined(__TARGET_ARCH_arm64)
struct user_pt_regs { /* arch/arm64/include/uapi/asm/ptrace.h */
	__u64 regs[31], sp, pc, pstate;
};
#define ingrain_sampled_regs struct user_pt_regs
#define ingrain_sampled_ip pc
#else
#define ingrain_sampled_regs struct pt_regs
#define ingrain_sampled_ip ip
#endif

struct bpf_perf_event_data {
	ingrain_sampled_regs regs;
	__u64 sample_period;
	__u64 addr;
};

/* Where the CPU was: an address in the kernel, or in the current task. */
#define sampled_ip(sample) ((sample)->regs.ingrain_sampled_ip)

enum { BPF_HDR_START_MAC = 0, BPF_HDR_START_NET = 1 };

/* A frame that a network card, or what stands for one, has received: xdp. */
struct xdp_md {
	__u32 data; /* an address, as is data_end */
	__u32 data_end;
	__u32 data_meta;
	__u32 ingress_ifindex;
	__u32 rx_queue_index;
	__u32 egress_ifindex;
};

/* Verdicts. */
enum xdp_action { XDP_ABORTED, XDP_DROP, XDP_PASS, XDP_TX, XDP_REDIRECT };
enum sk_action { SK_DROP, SK_PASS };
enum tcx_action { TCX_NEXT = -1, TCX_PASS = 0, TCX_DROP = 2, TCX_REDIRECT = 7 };

/* The arguments of a system call on a socket: cgroup/connect4, cgroup/connect6, and cgroup/sendmsg4 to cgroup/recvmsg6 of UDP. */
struct bpf_sock_addr {
	__u32 user_family;
	__u32 user_ip4;
	__u32 user_ip6[4];
	__u32 user_port; /* network byte order, in the first two bytes: bpf_ntohs */
	__u32 family;
	__u32 type;     /* SOCK_STREAM ... */
	__u32 protocol; /* IPPROTO_TCP ... */
	__u32 msg_src_ip4;
	__u32 msg_src_ip6[4];
	ingrain_ctx_ptr(struct bpf_sock, sk);
};

#endif

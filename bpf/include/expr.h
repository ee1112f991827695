/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the conditions and keys of a YAML are made of in C (docs/expressions.md
 * says what they mean). Numbers wrap, what is divided by 0 is 0, and nothing
 * fails. Every size and offset is a constant where it is used.
 */
#ifndef INGRAIN_EXPR_H
#define INGRAIN_EXPR_H

/* ---- numbers ---- */

/* Signed arithmetic is done without a sign, where C lets it wrap. */
static __always_inline __s64 ingrain_sadd(__s64 a, __s64 b)
{
	return (__u64)a + (__u64)b;
}

static __always_inline __s64 ingrain_ssub(__s64 a, __s64 b)
{
	return (__u64)a - (__u64)b;
}

static __always_inline __s64 ingrain_smul(__s64 a, __s64 b)
{
	return (__u64)a * (__u64)b;
}

static __always_inline __u64 ingrain_udiv(__u64 a, __u64 b)
{
	return b ? a / b : 0;
}

static __always_inline __u64 ingrain_umod(__u64 a, __u64 b)
{
	return b ? a % b : 0;
}

/* A number without its sign; of the smallest, itself. */
static __always_inline __s64 ingrain_sabs(__s64 a)
{
	return a < 0 ? 0 - (__u64)a : a;
}

/* BPF divides without a sign only. The smallest by -1 is the smallest. */
static __always_inline __s64 ingrain_sdiv(__s64 a, __s64 b)
{
	__u64 of = ingrain_udiv(ingrain_sabs(a), ingrain_sabs(b));

	return (a < 0) != (b < 0) ? 0 - of : of;
}

/* The remainder has the sign of what is divided. */
static __always_inline __s64 ingrain_smod(__s64 a, __s64 b)
{
	__u64 of = ingrain_umod(ingrain_sabs(a), ingrain_sabs(b));

	return a < 0 ? 0 - of : of;
}

/* One number without a sign and one with, compared as numbers of any size. */
static __always_inline bool ingrain_less_us(__u64 a, __s64 b)
{
	return b > 0 && a < (__u64)b;
}

static __always_inline bool ingrain_less_su(__s64 a, __u64 b)
{
	return a < 0 || (__u64)a < b;
}

static __always_inline bool ingrain_equal_us(__u64 a, __s64 b)
{
	return b >= 0 && a == (__u64)b;
}

/* As functions, because clang warns of operators on constants that it finds pointless. */
static __always_inline __u64 ingrain_bits_and(__u64 a, __u64 mask)
{
	return a & mask;
}

static __always_inline bool ingrain_bits_has(__u64 a, __u64 mask)
{
	return (a & mask) == mask;
}

static __always_inline bool ingrain_bits_any(__u64 a, __u64 mask)
{
	return (a & mask) != 0;
}

/* ---- bytes in an event ---- */

typedef __u64 __attribute__((may_alias)) ingrain_u64;
typedef __u32 __attribute__((may_alias)) ingrain_u32;
typedef __u16 __attribute__((may_alias)) ingrain_u16;

/* Bits at an address that is a multiple of their size. */
#define ingrain_load64(from, at) ((__u64)*(const ingrain_u64 *)((const char *)(from) + (at)))
#define ingrain_load32(from, at) ((__u64)*(const ingrain_u32 *)((const char *)(from) + (at)))
#define ingrain_load16(from, at) ((__u64)*(const ingrain_u16 *)((const char *)(from) + (at)))
#define ingrain_load8(from, at) ((__u64)*(const __u8 *)((const char *)(from) + (at)))

/*
 * Bits at any address. In assembly, because to clang an address that is no
 * multiple of the size means a load for each byte. Only for the memory of maps,
 * where CPUs and verifiers of the kernels that we run on take such loads.
 */
#define ingrain_raw64(from, at) ingrain_raw(u64, from, at)
#define ingrain_raw32(from, at) ingrain_raw(u32, from, at)
#define ingrain_raw16(from, at) ingrain_raw(u16, from, at)
#define ingrain_raw8(from, at) ingrain_raw(u8, from, at)
#define ingrain_raw(type, from, at)                                           \
	({                                                                     \
		__u64 bits;                                                    \
		asm volatile("%0 = *(" #type " *)(%1 + " #at ")"               \
			     : "=r"(bits) : "r"(from) : "memory");             \
		bits;                                                          \
	})

/* Up to 8 bytes of an array whose address is a multiple of align, the rest of the word 0. */
static __always_inline __u64 ingrain_piece(const char *from, const __u32 bytes, const __u32 align)
{
	__u64 word = 0;
	__u32 at = 0;

	if (bytes == 8 && align >= 8)
		return ingrain_load64(from, 0);
	if (align >= 4 && at + 4 <= bytes) {
		word = ingrain_load32(from, at);
		at += 4;
	}
	if (align >= 4 && at + 4 <= bytes) {
		word |= ingrain_load32(from, at) << 32;
		at += 4;
	}
#pragma unroll
	for (int i = 0; i < 4; i++) {
		if (align >= 2 && at + 2 <= bytes) {
			word |= ingrain_load16(from, at) << (8 * at);
			at += 2;
		}
	}
#pragma unroll
	for (int i = 0; i < 8; i++) {
		if (at < bytes) {
			word |= ingrain_load8(from, at) << (8 * at);
			at++;
		}
	}
	return word;
}

/* ---- char arrays: strings up to their first NUL, or to the array's end ---- */

/*
 * 1 while a string goes on, 0 from its first NUL on. Without a branch, and
 * kept from clang, which would make one: paths through a loop of branches are
 * as many as the string has bytes, and a verifier walks them all. Byte after
 * byte, else clang loads them all at once, and has only the stack for them.
 */
#define ingrain_alive(alive, c)                                                \
	({                                                                     \
		alive &= ((c) + 255) >> 8;                                     \
		asm volatile("" : "+r"(alive) : : "memory");                   \
	})

static __always_inline __u64 ingrain_len(const char *s, const __u32 size)
{
	__u64 alive = 1, len = 0;

#pragma unroll
	for (int i = 0; i < size; i++) {
		__u64 c = (__u8)s[i];

		ingrain_alive(alive, c);
		len += alive;
		ingrain_keep(len);
	}
	return len;
}

/*
 * Does a string end with n bytes, n at most 16? The last 8 of them stand in
 * `last`, the one before the end lowest, what is in front of those in `before`.
 */
static __always_inline bool ingrain_ends(const char *s, const __u32 size, const __u32 n, const __u64 last, const __u64 before)
{
	__u64 alive = 1, near = 0, far = 0;

#pragma unroll
	for (int i = 0; i < size; i++) {
		__u64 c = (__u8)s[i];

		ingrain_alive(alive, c);
		if (n > 8)
			far = (far << (alive << 3)) | (near >> 56 & -alive);
		near = (near << (alive << 3)) | (c & -alive);
		ingrain_keep(near);
		ingrain_keep(far);
	}
	if (n < 8)
		return (near & ((1ULL << (8 * (n & 7))) - 1)) == last;
	if (n == 8)
		return near == last;
	if (n < 16)
		far &= (1ULL << (8 * (n & 7))) - 1;
	return ((near ^ last) | (far ^ before)) == 0;
}

static __always_inline bool ingrain_same_str(const char *a, const __u32 size_a, const char *b, const __u32 size_b)
{
	const __u32 both = size_a < size_b ? size_a : size_b;
	__u64 alive = 1, differ = 0;

#pragma unroll
	for (int i = 0; i < both; i++) {
		__u64 c = (__u8)a[i], d = (__u8)b[i];

		differ |= (c ^ d) & -alive;
		ingrain_keep(differ);
		ingrain_alive(alive, c);
	}
	if (size_a > both)
		differ |= (__u8)a[both] & -alive;
	if (size_b > both)
		differ |= (__u8)b[both] & -alive;
	return differ == 0;
}

/* Copies a string into a key: what is behind its NUL is 0 there. */
static __always_inline void ingrain_store_str(char *to, const __u32 room, const char *from, const __u32 size, const __u32 align)
{
	__u64 alive = ~0ULL;

#pragma unroll
	for (int at = 0; at < room; at += 8) {
		const __u32 bytes = room - at < 8 ? room - at : 8;
		const __u32 have = at >= size ? 0 : size - at < bytes ? size - at : bytes;
		__u64 word = ingrain_piece(from + at, have, align) & alive, zero;

		/* The lowest bit set here is the highest of the first byte that is 0 (Mycroft). */
		zero = (word - 0x0101010101010101ULL) & ~word & 0x8080808080808080ULL;
		ingrain_keep(zero);
		word &= ((zero & -zero) >> 7) - 1;
		alive &= ((zero | -zero) >> 63) - 1;
		ingrain_keep(alive);
		__builtin_memcpy(to + at, &word, bytes);
	}
}

/* ---- texts: what stands behind the event, or nothing ---- */

static __always_inline __u32 ingrain_text_len(const void *text)
{
	const struct ingrain_tail *tail = text;

	if ((tail->state & (INGRAIN_TAIL_SET | INGRAIN_TAIL_FAULT)) != INGRAIN_TAIL_SET)
		return 0;
	return tail->len;
}

/* Where a text of at most `most` bytes begins behind an event; NULL when that cannot be. */
static __always_inline const char *ingrain_text_at(const void *behind, const void *text, const __u32 room, const __u32 most)
{
	__u64 at = ((const struct ingrain_tail *)text)->at;

	ingrain_keep(at);
	if (at > room - most)
		return NULL;
	behind += at;
	ingrain_keep(behind);
	return behind;
}

/* The text, if it has exactly n bytes; else NULL. */
static __always_inline const char *ingrain_text_is(const void *behind, const void *text, const __u32 room, const __u32 most, const __u32 n)
{
	return ingrain_text_len(text) == n ? ingrain_text_at(behind, text, room, most) : NULL;
}

/* The text, if it has n bytes or more; else NULL. */
static __always_inline const char *ingrain_text_begins(const void *behind, const void *text, const __u32 room, const __u32 most, const __u32 n)
{
	return ingrain_text_len(text) >= n ? ingrain_text_at(behind, text, room, most) : NULL;
}

/* The last n bytes of a text, if it has as many; else NULL. */
static __always_inline const char *ingrain_text_ends(const void *behind, const void *text, const __u32 room, const __u32 most, const __u32 n)
{
	__u64 skip = (__u64)ingrain_text_len(text) - n;
	const char *at;

	ingrain_keep(skip);
	if (skip > most - n)
		return NULL;
	at = ingrain_text_at(behind, text, room, most);
	if (!at)
		return NULL;
	at += skip;
	ingrain_keep(at);
	return at;
}

/* Copies a text into a key: what is behind its end is 0 there. */
static __always_inline void ingrain_store_text(char *to, const __u32 size, const void *behind, const void *text, const __u32 room, const __u32 most)
{
	const char *from = ingrain_text_at(behind, text, room, most);
	__s64 len = ingrain_text_len(text);

	__builtin_memset(to, 0, size);
	if (!from)
		return;
#pragma unroll
	for (int at = 0; at < size; at += 8) {
		const __u32 bytes = size - at < 8 ? size - at : 8;
		const __u32 have = at >= most ? 0 : most - at < bytes ? most - at : bytes;
		__u64 word = 0;

		if (len <= at)
			break;
#pragma unroll
		for (int i = 0; i < have; i++)
			word |= (__u64)(__u8)from[at + i] << (8 * i);
		if (len < at + 8)
			word &= (1ULL << (8 * (len & 7))) - 1;
		__builtin_memcpy(to + at, &word, bytes);
	}
}

/* ---- addresses, as two words in the order of their bytes in memory ---- */

struct ingrain_addr {
	__u64 hi, lo;
};

struct ingrain_net {
	__u64 hi, lo;
	__u8 bits; /* of the prefix: of IPv4 0 to 32 */
};

#define INGRAIN_MAPPED 0xffff0000ULL /* lo of ::ffff:0.0.0.0 */

static __always_inline struct ingrain_addr ingrain_addr(__u64 hi, __u64 lo)
{
	return (struct ingrain_addr){hi, lo};
}

static __always_inline struct ingrain_addr ingrain_ip(const ip_t *ip)
{
	return ingrain_addr(ip->word[0] | (__u64)ip->word[1] << 32, ip->word[2] | (__u64)ip->word[3] << 32);
}

static __always_inline struct ingrain_addr ingrain_ip4(ip4_t ip)
{
	return ingrain_addr(0, INGRAIN_MAPPED | (__u64)ip << 32);
}

static __always_inline bool ingrain_is4(struct ingrain_addr a)
{
	return (((a.lo & 0xffffffff) ^ INGRAIN_MAPPED) | a.hi) == 0;
}

static __always_inline bool ingrain_same_addr(struct ingrain_addr a, struct ingrain_addr b)
{
	return ((a.hi ^ b.hi) | (a.lo ^ b.lo)) == 0;
}

/* Is an address in the network hi:lo, whose prefix the masks cover? */
static __always_inline bool ingrain_in(struct ingrain_addr a, __u64 hi, __u64 lo, __u64 mask_hi, __u64 mask_lo)
{
	return (((a.hi & mask_hi) ^ hi) | ((a.lo & mask_lo) ^ lo)) == 0;
}

/* The same of a network of IPv6 whose masks let IPv4 through. */
static __always_inline bool ingrain_in6(struct ingrain_addr a, __u64 hi, __u64 lo, __u64 mask_hi, __u64 mask_lo)
{
	return ingrain_in(a, hi, lo, mask_hi, mask_lo) && !ingrain_is4(a);
}

/* The first bits of a word of an address; bits from 0 to 64. */
static __always_inline __u64 ingrain_first(const int bits)
{
	return bits <= 0 ? 0 : bits >= 64 ? ~0ULL : __builtin_bswap64(~0ULL << (64 - bits));
}

static __always_inline struct ingrain_net ingrain_net(__u64 hi, __u64 lo, __u8 bits)
{
	return (struct ingrain_net){hi, lo, bits};
}

/* The network of an address: so many bits of IPv4 stay, so many of IPv6. */
static __always_inline struct ingrain_net ingrain_cidr(struct ingrain_addr a, const int keep4, const int keep6)
{
	if (ingrain_is4(a))
		return ingrain_net(0, a.lo & ingrain_first(32 + keep4), keep4);
	return ingrain_net(a.hi & ingrain_first(keep6), a.lo & ingrain_first(keep6 - 64), keep6);
}

static __always_inline bool ingrain_same_net(struct ingrain_net a, struct ingrain_net b)
{
	return ((a.hi ^ b.hi) | (a.lo ^ b.lo) | (a.bits ^ b.bits)) == 0;
}

static __always_inline void ingrain_store_addr(ip_t *to, struct ingrain_addr a)
{
	to->word[0] = a.hi;
	to->word[1] = a.hi >> 32;
	to->word[2] = a.lo;
	to->word[3] = a.lo >> 32;
}

static __always_inline void ingrain_store_net(__u8 *to, struct ingrain_net n)
{
	__builtin_memcpy(to, &n.hi, 8);
	__builtin_memcpy(to + 8, &n.lo, 8);
	to[16] = n.bits;
}

#endif

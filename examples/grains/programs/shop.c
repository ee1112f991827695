// SPDX-License-Identifier: Apache-2.0
// A program with probes of its own (sys/sdt.h). It does what each line of its
// input says, and says when it has done it.
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define _SDT_HAS_SEMAPHORES 1
#include <sys/sdt.h>

/* Not 0 while somebody looks. */
#define SEMAPHORE(name) __attribute__((section(".probes"))) volatile unsigned short shop_##name##_semaphore
SEMAPHORE(served);
SEMAPHORE(kinds);
SEMAPHORE(globals);
SEMAPHORE(indexed);
SEMAPHORE(floats);
SEMAPHORE(many);

#define APART __attribute__((noinline))

int counter = -70000;
struct {
	int8_t a;
	int16_t b;
	uint8_t c;
	int64_t d;
} record = {-1, -2, 200, -3000000000};
static int table[4] = {10, -20, 30, -40};
static const short steps[4] = {1, -2, 3, -4};
static double price = 1.5;

/* Nobody who does not look pays for what makes the arguments. */
APART void serve(const char *item, int cents, unsigned left)
{
	if (shop_served_semaphore)
		DTRACE_PROBE3(shop, served, item, cents, left);
}

/* Registers and the stack, of all widths and signs, and constants. */
APART void kinds(int a, long b, unsigned char c, short d, unsigned short e, uint64_t f, int8_t g, int h, long i, unsigned j)
{
	volatile int local = a - 1;

	DTRACE_PROBE12(shop, kinds, a, b, c, d, e, f, g, h, i, j, local, -7);
}

/* Variables of the program, which a compiler may name in its notes. */
APART void globals(void)
{
	DTRACE_PROBE5(shop, globals, counter, record.a, record.b, record.c, record.d);
}

/* A base, an index, and a scale. */
APART void indexed(long i, unsigned long j, const signed char *text)
{
	DTRACE_PROBE3(shop, indexed, table[i & 3], steps[j & 3], text[i]);
}

APART void floats(long n)
{
	DTRACE_PROBE2(shop, floats, price, n);
}

/* A probe that the compiler puts into each of its callers. */
static inline __attribute__((always_inline)) void many(int where, long n)
{
	DTRACE_PROBE2(shop, many, where, n);
}

APART void one(long n) { many(1, n); }
APART void two(long unused, long n) { (void)unused; many(2, n); }
APART void three(long n) { many(3, n * 3); many(4, n * 4); }

APART long twice(long n) { return n * 2; }
APART long triple(long n) { return n * 3; }

int main(void)
{
	char line[64];

	setvbuf(stdout, NULL, _IOLBF, 0);
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = 0;
		if (!strcmp(line, "serve"))
			serve("tea", -250, 4000000000U);
		else if (!strcmp(line, "kinds"))
			kinds(-5, -6000000000, 200, -300, 60000, 0xfedcba9876543210, -7, -8, 1L << 40, 4000000000U);
		else if (!strcmp(line, "globals"))
			globals();
		else if (!strcmp(line, "indexed"))
			indexed(1, 3, (const signed char *)"\x7f\x80");
		else if (!strcmp(line, "floats"))
			floats(-9);
		else if (!strcmp(line, "many")) {
			one(100);
			two(0, 200);
			three(300);
		} else if (!strcmp(line, "calls"))
			printf("%ld ", twice(21) + triple(7));
		else if (strcmp(line, "semaphores"))
			return 1;
		printf("%s %d %d\n", line, shop_served_semaphore, shop_kinds_semaphore);
	}
	return 0;
}

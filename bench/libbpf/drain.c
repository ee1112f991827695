// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Reads the ring buffer that it inherits as descriptor 3 with libbpf: all that
// is there for each line on standard input. Answers with a line of how many
// records that were and the CPU time it took, in ns.
#include <bpf/libbpf.h>
#include <stdio.h>
#include <time.h>

static volatile unsigned long long sum;

static int look(void *ctx, void *data, size_t size)
{
	const unsigned char *record = data;

	sum += record[12] + record[40];
	return 0;
}

static long long cpu(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

int main(void)
{
	struct ring_buffer *ring = ring_buffer__new(3, look, NULL, NULL);
	char line[16];

	if (!ring)
		return 1;
	while (fgets(line, sizeof(line), stdin)) {
		long long began = cpu();
		int records = ring_buffer__consume(ring);

		printf("%d %lld\n", records, cpu() - began);
		fflush(stdout);
	}
	ring_buffer__free(ring);
	return 0;
}

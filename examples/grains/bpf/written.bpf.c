// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What programs write to one of their files, as a rule what they complain of.
#include "ingrain.h"

struct _data_write {
	struct who who;
	bytes_t count;
	text(16) start;
	words(64) words;
	text(32) line;
};

#include "written.grain.h"

PROBE(wrote, unsigned int fd, const char *buf, size_t count)
{
	struct _data_write *v;

	if (fd != PARAM_fd || !(v = new_write()))
		return;
	v->count = count;
	text_user(v, start, buf);
	words_user(v, words, buf, count, sizeof(v->words.words[0]));
	text_user(v, line, buf);
	emit_write(v);
}

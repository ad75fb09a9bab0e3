// SPDX-License-Identifier: GPL-2.0-or-later
/* Any text -> a capture, and every path that it has, looked up. */
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "root/capture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the rest of the program relies on; a wrong one is a crash. */
static void expect(int truth)
{
	if (!truth)
		abort();
}

/* All bytes are read: those that are not the capture's are the sanitizer's to find. */
static unsigned int sum_of(const struct capture_node *n)
{
	unsigned int sum = 0;

	for (size_t i = 0; i < n->size; i++)
		sum += (unsigned char)n->bytes[i];
	return sum;
}

static void visit(const struct capture *c, const struct capture_node *n, const char *path)
{
	const struct capture_node *found;
	char below[PATH_MAX];

	expect(!capture_find(c, path, false, &found) && found == n);
	expect(sum_of(n) || 1);
	if (n->kind == CAPTURE_LINK) {
		expect(n->bytes[n->size] == '\0' && strlen(n->bytes) == n->size);
		capture_find(c, path, true, &found);
	}
	expect((n->kind == CAPTURE_UNREAD) == (n->err > 0));
	for (const struct capture_node *child = n->child; child; child = child->next) {
		expect(n->kind == CAPTURE_FOLDER && child->parent == n && child->name[0] && !strchr(child->name, '/'));
		if (snprintf(below, sizeof(below), "%s/%s", path, child->name) < (int)sizeof(below))
			visit(c, child, below);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct capture_node *root;
	char *text = malloc(size + 1);
	struct error e = { 0 };
	struct capture *c;

	expect(text != NULL);
	memcpy(text, data, size);
	if (capture_parse(text, size, "input", &c, &e)) {
		expect(!c && strstr(e.message, "line ") && e.cause == CAUSE_FAILED);
		return 0;
	}
	expect(!capture_find(c, "", true, &root) && root->kind == CAPTURE_FOLDER);
	visit(c, root, "");
	capture_free(c);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A throw-away folder in the shape of / for tests that read through a root. */
#ifndef TEST_TREE_H
#define TEST_TREE_H

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* cmocka.h makes fail() a macro: our headers come first */
#include "root/reader.h"
#include "base/util.h"

#include <cmocka.h>

struct tree {
	char dir[64];
	struct root root;
};

static inline int tree_remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st, (void)type, (void)at;
	return remove(path);
}

/* Begins with an empty folder; root_open() is part of it. */
static inline void tree_new(struct tree *t)
{
	struct error e;

	snprintf(t->dir, sizeof(t->dir), "/tmp/msictl-unit-XXXXXX");
	assert_non_null(mkdtemp(t->dir));
	assert_int_equal(root_open(&t->root, t->dir, &e), 0);
}

static inline void tree_free(struct tree *t)
{
	root_close(&t->root);
	nftw(t->dir, tree_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* Fixtures of cmocka: the test's state is its tree. */
static inline int tree_setup(void **state)
{
	static struct tree t;

	tree_new(&t);
	*state = &t;
	return 0;
}

static inline int tree_teardown(void **state)
{
	tree_free(*state);
	return 0;
}

static inline char *tree_path(const struct tree *t, const char *path, char buf[PATH_MAX])
{
	copy_text(buf, PATH_MAX, t->dir);
	append(buf, PATH_MAX, "/%s", path);
	for (char *p = buf + strlen(t->dir) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		mkdir(buf, 0755);
		*p = '/';
	}
	return buf;
}

static inline void tree_bytes(const struct tree *t, const char *path, const void *data, size_t size)
{
	char full[PATH_MAX];
	FILE *f = fopen(tree_path(t, path, full), "w");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, size, f), size);
	assert_int_equal(fclose(f), 0);
}

static inline void tree_text(const struct tree *t, const char *path, const char *text)
{
	tree_bytes(t, path, text, strlen(text));
}

/* Letters into the middle of a larger buffer: no terminator. */
static inline void tree_put(char *at, const char *letters)
{
	while (*letters)
		*at++ = *letters++;
}

static inline void tree_link(const struct tree *t, const char *path, const char *target)
{
	char full[PATH_MAX];

	assert_int_equal(symlink(target, tree_path(t, path, full)), 0);
}

static inline void tree_folder(const struct tree *t, const char *path)
{
	char full[PATH_MAX];

	mkdir(tree_path(t, path, full), 0755);
}

/* Only @spare descriptors are left to open files with, until tree_plenty(). Returns the limit before. */
static inline struct rlimit tree_exhaust(unsigned int spare)
{
	struct rlimit before, none;
	int next = dup(STDERR_FILENO);

	assert_true(next >= 0);
	close(next);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){ .rlim_cur = (rlim_t)next + spare, .rlim_max = before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	return before;
}

static inline void tree_plenty(const struct rlimit *before)
{
	assert_int_equal(setrlimit(RLIMIT_NOFILE, before), 0);
}

static inline void tree_fifo(const struct tree *t, const char *path)
{
	char full[PATH_MAX];

	assert_int_equal(mkfifo(tree_path(t, path, full), 0644), 0);
}

#endif

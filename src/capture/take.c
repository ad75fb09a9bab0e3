// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/take.h"

#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "capture/filter.h"
#include "capture/internal.h"
#include "capture/names.h"
#include "capture/scope.h"
#include "capture/text.h"
#include "root/capture.h"

/* A longer file is told as EFBIG. /proc/interrupts of 32,768 IRQs and 256 CPUs has 92 MB. */
#define FILE_MAX   (1u << 27)
#define FILE_FIRST (1u << 16)
#define MAX_WORDS  8
#define DMAR_HEAD  48 /* ACPI's header, host address width and flags, without the addresses below */

struct taking {
	const struct root *r;
	const struct capture_options *opt;
	FILE *to;
	struct capture_result *result;
	struct capture_scope scope;
	const char *rules;     /* all rows */
	char base[PATH_MAX];   /* of "." in the rows of this scope, "" for / */
	const char *member;    /* the followed link's own name; NULL: none */
	char folder[PATH_MAX]; /* that the entries being written are in */
	uint8_t *bytes;
	size_t room;
	regex_t word[MAX_WORDS];
	size_t nword;
	struct names unseen; /* folders that could not be looked into: told once */
	int rc;		     /* -ENOMEM */
};

/* "a/b", "b" when @a is empty, "a" when @b is ".". False: too long. */
static bool join(char path[PATH_MAX], const char *a, const char *b)
{
	int n;

	if (!strcmp(b, "."))
		n = snprintf(path, PATH_MAX, "%s", a);
	else
		n = snprintf(path, PATH_MAX, "%s%s%s", a, a[0] ? "/" : "", b);
	return n >= 0 && n < PATH_MAX;
}

/* --- entries --- */

static void in_folder(struct taking *t, const char *folder)
{
	if (!strcmp(t->folder, folder))
		return;
	copy_text(t->folder, sizeof(t->folder), folder);
	capture_put_folder(t->to, folder);
}

static int more_room(struct taking *t)
{
	size_t room = t->room ? t->room * 2 : FILE_FIRST;
	uint8_t *more;

	if (room > FILE_MAX)
		return -EFBIG;
	more = realloc(t->bytes, room);
	if (!more)
		return -ENOMEM;
	t->bytes = more;
	t->room = room;
	return 0;
}

/* One that is longer than the room for most, read once more. */
static ssize_t load_long(struct taking *t, const char *path)
{
	_cleanup_file_ FILE *f = root_stream(t->r, "%s", path);
	size_t n = 0, got;

	if (!f)
		return -errno;
	for (;;) {
		int rc = n < t->room - 1 ? 0 : more_room(t);

		if (rc)
			return rc;
		got = fread(t->bytes + n, 1, t->room - 1 - n, f);
		n += got;
		if (!got)
			return ferror(f) ? -EIO : (ssize_t)n;
	}
}

/* A file as a whole, whatever the kernel says of its length. Returns: bytes or -errno. */
static ssize_t load(struct taking *t, const char *path)
{
	int n = t->room ? 0 : more_room(t);

	if (!n)
		n = root_read(t->r, t->bytes, FILE_FIRST - 1, "%s", path);
	return n < (int)FILE_FIRST - 1 ? n : load_long(t, path);
}

static size_t as_is(struct taking *t, size_t size)
{
	(void)t;
	return size;
}

static size_t as_config(struct taking *t, size_t size)
{
	return t->opt->serials ? size : filter_config(t->bytes, size);
}

static size_t as_cmdline(struct taking *t, size_t size)
{
	return filter_words((char *)t->bytes, size, t->word, t->nword);
}

static size_t as_cpuinfo(struct taking *t, size_t size)
{
	return filter_cpuinfo(t->bytes, size, t->opt->serials);
}

static size_t as_modules(struct taking *t, size_t size)
{
	return filter_modules(t->bytes, size);
}

static size_t as_dmar(struct taking *t, size_t size)
{
	(void)t;
	return size < DMAR_HEAD ? size : DMAR_HEAD;
}

static size_t as_mark(struct taking *t, size_t size)
{
	(void)t;
	(void)size;
	return 0;
}

static bool irq_wanted(void *scope, unsigned int irq)
{
	return scope_has_irq(scope, irq);
}

static size_t as_interrupts(struct taking *t, size_t size)
{
	return t->opt->device ? filter_interrupts((char *)t->bytes, size, irq_wanted, &t->scope)
			      : size;
}

struct action;
typedef void (*take_fn)(struct taking *t, const struct action *a, const char *folder,
			const char *name);

struct action {
	const char *word;
	take_fn take;
	size_t (*filter)(struct taking *t, size_t size);
};

static void take_file(struct taking *t, const struct action *a, const char *folder,
		      const char *name)
{
	char path[PATH_MAX];
	ssize_t n;

	if (!join(path, folder, name))
		return;
	n = load(t, path);
	if (n == -ENOENT || n == -ENOTDIR)
		return;
	if (n == -ENOMEM) {
		t->rc = -ENOMEM;
		return;
	}
	in_folder(t, folder);
	if (n < 0) {
		capture_put_unread(t->to, name, (int)-n);
		t->result->unread++;
		return;
	}
	capture_put_file(t->to, name, t->bytes, a->filter(t, (size_t)n));
	t->result->files++;
}

static void take_vpd(struct taking *t, const struct action *a, const char *folder, const char *name)
{
	if (t->opt->vpd)
		take_file(t, a, folder, name);
}

/* Whether a link in @folder stays below the root, as the reader checks it. */
static bool stays_inside(const char *folder, const char *target)
{
	int depth = folder[0] && target[0] != '/';

	for (const char *p = folder; target[0] != '/' && *p; p++)
		depth += *p == '/';
	return capture_target_inside(depth, target);
}

static bool take_target(struct taking *t, const char *folder, const char *name,
			char target[PATH_MAX])
{
	char path[PATH_MAX];
	int n = join(path, folder, name) ? root_target(t->r, target, PATH_MAX, "%s", path)
					 : -ENAMETOOLONG;

	if (n == -ENOENT || n == -ENOTDIR || n == -EINVAL || n == -ENAMETOOLONG)
		return false;
	if (n > 0 && !stays_inside(folder, target)) {
		t->result->outside++;
		return false;
	}
	in_folder(t, folder);
	if (n <= 0) {
		capture_put_unread(t->to, name, n ? -n : EIO);
		t->result->unread++;
		return false;
	}
	capture_put_link(t->to, name, target);
	t->result->links++;
	return true;
}

static void take_link(struct taking *t, const struct action *a, const char *folder,
		      const char *name)
{
	char target[PATH_MAX];

	(void)a;
	take_target(t, folder, name, target);
}

/* --- the rows --- */

/* The next row, split at blanks, in @line. Returns the number of words, 0: the rows are over. */
#define MAX_ROW 24
static size_t next_row(const char **at, char *line, size_t size, char *word[MAX_ROW])
{
	while (**at) {
		size_t len = strcspn(*at, "\n"), n = 0;
		char *save = NULL;

		copy_text(line, len + 1 < size ? len + 1 : size, *at);
		*at += len + ((*at)[len] == '\n');
		if (line[0] == '#')
			continue;
		for (char *w = strtok_r(line, " ", &save); w && n < MAX_ROW;
		     w = strtok_r(NULL, " ", &save))
			word[n++] = w;
		if (n)
			return n;
	}
	return 0;
}

/* A folder that could not be looked into is an entry of the folder above it. */
static void unread_folder(struct taking *t, const char *path, int err)
{
	char above[PATH_MAX], *slash;

	copy_text(above, sizeof(above), path);
	slash = strrchr(above, '/');
	if (!slash)
		return;
	for (size_t i = 0; i < t->unseen.n; i++)
		if (!strcmp(t->unseen.name[i], path))
			return;
	if (names_add(&t->unseen, path))
		t->rc = -ENOMEM;
	*slash = '\0';
	in_folder(t, above);
	capture_put_unread(t->to, slash + 1, err);
	t->result->unread++;
}

/*
 * Those of @folder that are wanted. False: it is not there, or could not be looked into, which is
 * written.
 */
static bool list(struct taking *t, const char *folder, struct names *l)
{
	int rc = names_of(t->r, folder, l);

	if (!rc)
		return true;
	if (rc == -ENOMEM)
		t->rc = rc;
	else if (rc != -ENOENT && rc != -ENOTDIR)
		unread_folder(t, folder, -rc);
	return false;
}

static void take_name(struct taking *t, const struct action *a, const char *folder,
		      const char *name)
{
	_cleanup_(names_free) struct names l = { .n = 0 };

	if (strcmp(name, "*") != 0) {
		a->take(t, a, folder, name);
		return;
	}
	if (!list(t, folder, &l))
		return;
	for (size_t i = 0; !t->rc && i < l.n; i++)
		if (scope_wants(&t->scope, folder, l.name[i]))
			a->take(t, a, folder, l.name[i]);
}

/* @done: a folder; @todo: what is left of the row's, in which "*" stands for every name. */
static void take_folders(struct taking *t, const struct action *a, const char *done,
			 const char *todo, char **name)
{
	_cleanup_(names_free) struct names l = { .n = 0 };
	const char *star = strstr(todo, "/*");
	char above[PATH_MAX], path[PATH_MAX], plain[PATH_MAX];

	if (!star) {
		if (!todo[0] || join(path, done, todo))
			for (; !t->rc && *name; name++)
				take_name(t, a, todo[0] ? path : done, *name);
		return;
	}
	copy_text(plain, (size_t)(star - todo) + 1, todo);
	todo = star + 2 + (star[2] == '/');
	if (!join(above, done, plain) || !list(t, above, &l))
		return;
	for (size_t i = 0; !t->rc && i < l.n; i++)
		if (scope_wants(&t->scope, above, l.name[i]) && join(path, above, l.name[i]))
			take_folders(t, a, path, todo, name);
}

/* What another function's driver is told by: the folder of the driver leads back here. */
static void take_member(struct taking *t, const struct action *a, const char *link,
			const char *drivers)
{
	char driver[NAME_MAX + 1], path[PATH_MAX];

	if (root_link(t->r, driver, sizeof(driver), "%s/%s", t->base, link) > 0 &&
	    join(path, drivers, driver))
		take_link(t, a, path, t->member);
}

/* Below a device tree; links in it are not followed. */
static int find(struct taking *t, const char *folder, char **pattern, unsigned int depth,
		struct names *found)
{
	_cleanup_(names_free) struct names l = { .n = 0 };
	char path[PATH_MAX], target[PATH_MAX];
	int rc = depth < CAPTURE_DEPTH ? names_of(t->r, folder, &l) : 0;

	if (rc)
		return rc == -ENOMEM ? rc : 0;
	for (size_t i = 0; !rc && i < l.n; i++) {
		bool matches = false;

		if (!join(path, folder, l.name[i]) ||
		    root_target(t->r, target, sizeof(target), "%s", path) > 0)
			continue;
		for (char **p = pattern; *p; p++)
			matches = matches || !fnmatch(*p, l.name[i], 0);
		rc = matches ? names_add(found, path) : find(t, path, pattern, depth + 1, found);
	}
	return rc;
}

static void take_found(struct taking *t, const struct action *a, const char *folder, char **pattern)
{
	_cleanup_(names_free) struct names l = { .n = 0 };
	int rc = t->opt->device ? 0 : find(t, folder, pattern, 0, &l);

	if (rc)
		t->rc = rc;
	names_sort(&l);
	for (size_t i = 0; !t->rc && i < l.n; i++) {
		char *slash = strrchr(l.name[i], '/');

		*slash = '\0';
		take_file(t, a, l.name[i], slash + 1);
	}
}

static const struct action actions[] = {
	{ "file", take_file, as_is },	      { "config", take_file, as_config },
	{ "cmdline", take_file, as_cmdline }, { "cpuinfo", take_file, as_cpuinfo },
	{ "modules", take_file, as_modules }, { "dmar", take_file, as_dmar },
	{ "mark", take_file, as_mark },	      { "vpd", take_vpd, as_is },
	{ "link", take_link, as_is },	      { "find", take_file, as_is },
	{ "member", take_link, as_is },	      { "interrupts", take_file, as_interrupts },
};

/* @word: SCOPE ACTION FOLDER NAME... NULL */
static void take_row(struct taking *t, char **word)
{
	const struct action *a = actions;
	char path[PATH_MAX];

	while (a < actions + ARRAY_SIZE(actions) && strcmp(a->word, word[1]) != 0)
		a++;
	if (a == actions + ARRAY_SIZE(actions) || !join(path, t->base, word[2]))
		return;
	if (!strcmp(a->word, "member"))
		take_member(t, a, word[2], word[3]);
	else if (!strcmp(a->word, "find"))
		take_found(t, a, path, word + 3);
	else
		take_folders(t, a, "", path, word + 3);
}

static void take_scope(struct taking *t, const char *scope);

/* @target is relative to @folder: both are without links, as in sysfs. */
static bool resolve(char path[PATH_MAX], const char *folder, const char *target)
{
	char *slash;

	copy_text(path, PATH_MAX, target[0] == '/' ? "" : folder);
	while (*target) {
		size_t len = strcspn(target, "/"), used = strlen(path);

		if (len == 2 && !strncmp(target, "..", 2)) {
			slash = strrchr(path, '/');
			*(slash ? slash : path) = '\0';
		} else if (len && !(len == 1 && target[0] == '.')) {
			if (used + len + 2 > PATH_MAX)
				return false;
			append(path, PATH_MAX, "%s%.*s", used ? "/" : "", (int)len, target);
		}
		target += len + (target[len] == '/');
	}
	return true;
}

static void follow(struct taking *t, const char *scope, const char *folder)
{
	_cleanup_(names_free) struct names l = { .n = 0 };
	char target[PATH_MAX];

	if (!list(t, folder, &l))
		return;
	for (size_t i = 0; !t->rc && i < l.n; i++) {
		if (!scope_wants(&t->scope, folder, l.name[i]) ||
		    !take_target(t, folder, l.name[i], target) ||
		    !resolve(t->base, folder, target) || !root_exists(t->r, "%s", t->base))
			continue;
		/* it is there, even if nothing of it is */
		in_folder(t, t->base);
		t->member = l.name[i];
		take_scope(t, scope);
	}
	t->base[0] = '\0';
	t->member = NULL;
}

static void take_scope(struct taking *t, const char *scope)
{
	const char *at = t->rules;
	char line[1024], *word[MAX_ROW + 1];
	size_t n;

	while (!t->rc && (n = next_row(&at, line, sizeof(line), word))) {
		word[n] = NULL;
		if (n > 3 && !strcmp(word[0], scope))
			take_row(t, word);
		else if (n == 3 && !strcmp(word[0], "follow") && !strcmp(scope, "all"))
			follow(t, word[1], word[2]);
	}
}

static int compile_words(struct taking *t)
{
	const char *at = t->rules;
	char line[1024], *word[MAX_ROW];
	size_t n;

	while ((n = next_row(&at, line, sizeof(line), word)))
		if (n == 2 && !strcmp(word[0], "word") && t->nword < MAX_WORDS &&
		    regcomp(&t->word[t->nword++], word[1], REG_EXTENDED | REG_NOSUB))
			return -ENOMEM;
	return 0;
}

/* --- the whole --- */

static int take_all(struct taking *t, struct error *e)
{
	int rc = compile_words(t);

	if (!rc && t->opt->device)
		rc = scope_read(&t->scope, t->r, t->opt->device, e);
	if (rc)
		return rc == -ENOMEM ? fail_memory(e) : rc;
	capture_put_head(t->to, t->r, t->opt);
	take_scope(t, "all");
	fprintf(t->to, "# %u files, %u links; %u could not be read.\n" CAPTURE_END "\n",
		t->result->files, t->result->links, t->result->unread);
	if (t->rc)
		return fail_memory(e);
	errno = 0;
	if (fflush(t->to) || ferror(t->to))
		return fail(e, CAUSE_FAILED, errno ? errno : EIO,
			    "the capture could not be written");
	return 0;
}

int capture_take(const struct root *r, const struct capture_options *opt, FILE *to,
		 struct capture_result *result, struct error *e)
{
	_cleanup_free_ struct taking *t = calloc(1, sizeof(*t));
	int rc;

	*result = (struct capture_result){ 0 };
	if (!t)
		return fail_memory(e);
	t->r = r;
	t->opt = opt;
	t->to = to;
	t->result = result;
	t->rules = capture_rules;
	rc = take_all(t, e);
	/* what could not be read is in the capture, by its name */
	root_forgive(r);
	for (size_t i = 0; i < t->nword; i++)
		regfree(&t->word[i]);
	scope_free(&t->scope);
	names_free(&t->unseen);
	free(t->bytes);
	return rc;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "root/capture.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <search.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"

#define FOLLOW_MAX 40	      /* MAXSYMLINKS of linux/namei.h */
#define STEPS_MAX  (1u << 26) /* of all links together, when a capture is checked */
#define ERRNO_MAX  133	      /* of asm-generic/errno.h */

/* Blocks of nodes never move: nodes point at each other. */
#define BLOCK_NODES 512

struct own_node {
	struct capture_node pub; /* first: one is cast to the other */
	struct own_node *last;	 /* CAPTURE_FOLDER: its last child */
};

struct block {
	struct block *next;
	size_t used;
	struct own_node node[BLOCK_NODES];
};

/* Bytes that have no place in the text, such as a file's in hexadecimal. */
struct bytes {
	struct bytes *next;
	uint8_t at[];
};

struct capture {
	char *text;
	struct block *blocks;
	struct bytes *bytes;
	void *index; /* tsearch(3) by folder and name */
	size_t nodes, hex;
	struct own_node *root;
};

struct parser {
	struct capture *c;
	char *at, *end;
	const char *file; /* the capture's name */
	size_t line;
	struct own_node *folder; /* that the entries are in; NULL: none yet */
	struct own_node *open;	 /* whose lines follow; NULL: none */
	struct bytes *hex;	 /* of @open in hexadecimal */
	bool is_hex;
	size_t room; /* of @hex */
	struct error *e;
};

static int no_memory(struct error *e)
{
	fail_memory(e);
	return -ENOMEM;
}

/* A sentence about a line. Returns: -EBADMSG. */
__attribute__((format(printf, 3, 4))) static int damaged(const struct parser *p, size_t line,
							 const char *fmt, ...)
{
	char why[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	fail(p->e, CAUSE_FAILED, 0, "%s, line %zu: %s", p->file, line, why);
	return -EBADMSG;
}

/* --- the nodes --- */

static int by_place(const void *a, const void *b)
{
	const struct capture_node *x = a, *y = b;

	if (x->parent != y->parent)
		return (uintptr_t)x->parent < (uintptr_t)y->parent ? -1 : 1;
	return strcmp(x->name, y->name);
}

static struct own_node *node_alloc(struct capture *c)
{
	struct block *b = c->blocks;

	if (!b || b->used == BLOCK_NODES) {
		b = calloc(1, sizeof(*b));
		if (!b)
			return NULL;
		b->next = c->blocks;
		c->blocks = b;
	}
	c->nodes++;
	return &b->node[b->used++];
}

static struct own_node *node_find(const struct capture *c, const struct own_node *folder,
				  const char *name)
{
	const struct capture_node key = { .parent = &folder->pub, .name = name };
	void *found = tfind(&key, &c->index, by_place);

	return found ? *(struct own_node **)found : NULL;
}

/* One that is not there yet. */
static int node_add(struct parser *p, struct own_node *folder, const char *name,
		    enum capture_kind kind, struct own_node **node)
{
	struct own_node *n;

	if (p->c->nodes >= CAPTURE_ENTRIES)
		return damaged(p, p->line, "there are more than %u files", CAPTURE_ENTRIES);
	n = node_alloc(p->c);
	if (!n)
		return no_memory(p->e);
	n->pub = (struct capture_node){
		.parent = &folder->pub, .name = name, .kind = kind, .line = p->line
	};
	if (!tsearch(n, &p->c->index, by_place))
		return no_memory(p->e);
	if (folder->last)
		folder->last->pub.next = &n->pub;
	else
		folder->pub.child = &n->pub;
	folder->last = n;
	*node = n;
	return 0;
}

/* --- escapes --- */

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* What follows a backslash: the byte, or -1. @at is set behind it. */
static int unescape(const char **at, const char *end)
{
	const char *p = *at;

	if (p == end)
		return -1;
	*at = p + 1;
	if (*p == '\\')
		return '\\';
	if (*p == 't')
		return '\t';
	if (*p != 'x' || end - p < 3 || digit(p[1]) < 0 || digit(p[2]) < 0)
		return -1;
	*at = p + 3;
	return digit(p[1]) << 4 | digit(p[2]);
}

/*
 * Text with its escapes undone, written at @to, which is not behind @from.
 * @cut: set when the text ends with \c; NULL: that is no escape here.
 * Returns: the number of bytes or -EBADMSG.
 */
static ssize_t decode(struct parser *p, const char *from, const char *end, char *to, bool *cut)
{
	char *start = to;

	while (from < end) {
		int byte = (unsigned char)*from++;

		if ((byte < ' ' && byte != '\t') || byte == 0x7f)
			return damaged(p, p->line, "a control character (0x%02x) is not escaped",
				       byte);
		if (byte == '\\' && cut && end - from == 1 && *from == 'c') {
			*cut = true;
			break;
		}
		if (byte == '\\')
			byte = unescape(&from, end);
		if (byte < 0)
			return damaged(p, p->line, "a backslash is followed by none of \\ t xHH");
		*to++ = (char)byte;
	}
	return to - start;
}

/* A name in place, terminated: there is a byte behind it that is not needed any more. */
static int decode_name(struct parser *p, char *name, char *end)
{
	ssize_t n = decode(p, name, end, name, NULL);

	if (n < 0)
		return (int)n;
	name[n] = '\0';
	if (!n || (size_t)n != strlen(name) || strchr(name, '/') || !strcmp(name, ".") ||
	    !strcmp(name, ".."))
		return damaged(
			p, p->line,
			"no name of a file: empty, \".\", \"..\", or with a slash or a zero in it");
	return n > NAME_MAX ? damaged(p, p->line, "a name is longer than %d bytes", NAME_MAX) : 0;
}

/* --- the lines --- */

static int enter_folder(struct parser *p, struct own_node **at, const char *name)
{
	struct own_node *there = node_find(p->c, *at, name);

	if (!there)
		return node_add(p, *at, name, CAPTURE_FOLDER, at);
	if (there->pub.kind != CAPTURE_FOLDER)
		return damaged(p, p->line, "the path leads through line %zu, which is no folder",
			       there->pub.line);
	*at = there;
	return 0;
}

/* "/sys/kernel/irq/24": the folder that the next entries are in. */
static int parse_folder(struct parser *p, char *line, char *end)
{
	struct own_node *at = p->c->root;
	unsigned int depth = 0;

	if (end - line >= PATH_MAX)
		return damaged(p, p->line, "the path is longer than %d bytes", PATH_MAX);
	for (char *name = line + 1, *slash; name <= end; name = slash + 1) {
		int rc;

		slash = memchr(name, '/', (size_t)(end - name));
		if (!slash)
			slash = end;
		rc = decode_name(p, name, slash);
		if (!rc && ++depth > CAPTURE_DEPTH)
			rc = damaged(p, p->line, "the path has more than %d folders",
				     CAPTURE_DEPTH);
		if (!rc)
			rc = enter_folder(p, &at, name);
		if (rc)
			return rc;
	}
	p->folder = at;
	return 0;
}

bool capture_target_inside(int depth, const char *target)
{
	while (*target) {
		size_t len = strcspn(target, "/");

		if (len == 2 && !strncmp(target, "..", 2))
			depth--;
		else if (len && !(len == 1 && target[0] == '.'))
			depth++;
		if (depth < 0)
			return false;
		target += len + (target[len] == '/');
	}
	return true;
}

/*
 * Whether a link's target stays inside, as far as its words tell: what it leads through may be a
 * link, too.
 */
static bool stays_inside(const struct own_node *folder, const char *target)
{
	const struct capture_node *n = &folder->pub;
	int depth = 0;

	for (; n->parent != n; n = n->parent)
		depth++;
	if (target[0] == '/')
		depth = 0;
	return capture_target_inside(depth, target);
}

static int parse_link(struct parser *p, struct own_node *n, char *text, char *end)
{
	ssize_t len = decode(p, text, end, text, NULL);

	if (len < 0)
		return (int)len;
	text[len] = '\0';
	if (!len || (size_t)len != strlen(text) || len >= PATH_MAX)
		return damaged(p, p->line, "no target of a link");
	if (!stays_inside(p->folder, text))
		return damaged(p, p->line, "the link leads out of the root");
	n->pub.bytes = text;
	n->pub.size = (size_t)len;
	return 0;
}

static int parse_unread(struct parser *p, struct own_node *n, char *text, char *end)
{
	char name[16];

	*end = '\0';
	for (int err = 1; err <= ERRNO_MAX && !n->pub.err; err++)
		if (!strcmp(text, errno_name(err, name)))
			n->pub.err = err;
	return n->pub.err ? 0
			  : damaged(p, p->line,
				    "the name of an error such as EACCES is wanted behind \"!\"");
}

/* The line's own end becomes the text's: there is room for it. */
static int parse_text(struct parser *p, struct own_node *n, char *text, char *end)
{
	bool cut = false;
	ssize_t len = decode(p, text, end, text, &cut);

	if (len < 0)
		return (int)len;
	if (!cut)
		text[len++] = '\n';
	n->pub.bytes = text;
	n->pub.size = (size_t)len;
	return 0;
}

static int begin_lines(struct parser *p, struct own_node *n, char *text, char *end)
{
	if (text != end)
		return damaged(p, p->line,
			       "nothing may follow here: the lines of the file are below");
	p->open = n;
	p->is_hex = false;
	n->pub.bytes = end;
	return 0;
}

static int begin_hex(struct parser *p, struct own_node *n, char *text, char *end)
{
	int rc = begin_lines(p, n, text, end);

	p->is_hex = true;
	p->hex = NULL;
	p->room = 0;
	return rc;
}

static const struct entry_word {
	const char *word;
	enum capture_kind kind;
	int (*parse)(struct parser *p, struct own_node *n, char *text, char *end);
} entry_words[] = {
	{ "=", CAPTURE_FILE, parse_text },     { "->", CAPTURE_LINK, parse_link },
	{ "|", CAPTURE_FILE, begin_lines },    { "hex", CAPTURE_FILE, begin_hex },
	{ "!", CAPTURE_UNREAD, parse_unread },
};

/* "NAME WORD REST". */
static int parse_entry(struct parser *p, char *line, char *end)
{
	char *space = memchr(line, ' ', (size_t)(end - line)), *word = space ? space + 1 : end,
	     *rest;
	const struct entry_word *w = entry_words, *past = entry_words + ARRAY_SIZE(entry_words);
	struct own_node *n;
	int rc;

	rest = memchr(word, ' ', (size_t)(end - word));
	if (!rest)
		rest = end;
	while (w < past && ((size_t)(rest - word) != strlen(w->word) ||
			    strncmp(word, w->word, strlen(w->word)) != 0))
		w++;
	if (!space || w == past)
		return damaged(
			p, p->line,
			"NAME = TEXT, NAME |, NAME hex, NAME -> TARGET or NAME ! ERROR is wanted");
	if (!p->folder)
		return damaged(p, p->line, "a file stands before the first folder");
	rc = decode_name(p, line, space);
	if (rc)
		return rc;
	n = node_find(p->c, p->folder, line);
	if (n)
		return damaged(p, p->line, "the same path is in line %zu", n->pub.line);
	rc = node_add(p, p->folder, line, w->kind, &n);
	return rc ? rc : w->parse(p, n, rest < end ? rest + 1 : end, end);
}

/* One more line of a text that was begun: moved down to the end of what is there. */
static int more_text(struct parser *p, char *text, char *end)
{
	struct capture_node *n = &p->open->pub;
	bool cut = false;
	char *to;
	ssize_t len;

	/* the first line begins where it is */
	if (!n->size)
		n->bytes = text;
	to = p->c->text + (n->bytes - p->c->text) + n->size;
	len = decode(p, text, end, to, &cut);
	if (len < 0)
		return (int)len;
	if (!cut)
		to[len++] = '\n';
	n->size += (size_t)len;
	return 0;
}

/* Room for @size bytes, zeros. */
static int grow_hex(struct parser *p, size_t size)
{
	struct capture *c = p->c;
	struct bytes *more;
	size_t room = p->room ? p->room : 256;

	if (size > CAPTURE_HEX_MAX || c->hex + size - p->open->pub.size > CAPTURE_HEX_ALL)
		return damaged(
			p, p->line,
			"a file in hexadecimal is longer than %u bytes, or all of them than %u",
			CAPTURE_HEX_MAX, CAPTURE_HEX_ALL);
	while (room < size)
		room *= 2;
	if (room > p->room) {
		if (p->hex)
			c->bytes = p->hex->next;
		more = realloc(p->hex, sizeof(*more) + room);
		if (!more) {
			/* the former one is as it was */
			if (p->hex)
				c->bytes = p->hex;
			return no_memory(p->e);
		}
		memset(more->at + p->room, 0, room - p->room);
		more->next = c->bytes;
		c->bytes = p->hex = more;
		p->room = room;
		p->open->pub.bytes = (const char *)more->at;
	}
	c->hex += size - p->open->pub.size;
	p->open->pub.size = size;
	return 0;
}

/* "03c: 00 01 ff": @at has the bytes. */
static int more_bytes(struct parser *p, const char *at, const char *end)
{
	while (at < end) {
		size_t size = p->open->pub.size;
		int rc;

		if (end - at < 3 || at[0] != ' ' || digit(at[1]) < 0 || digit(at[2]) < 0)
			return damaged(
				p, p->line,
				"bytes of two hexadecimal digits are wanted, a blank before each");
		rc = grow_hex(p, size + 1);
		if (rc)
			return rc;
		p->hex->at[size] = (uint8_t)(digit(at[1]) << 4 | digit(at[2]));
		at += 3;
	}
	return 0;
}

static int more_hex(struct parser *p, const char *text, const char *end)
{
	size_t offset = 0;
	const char *at = text;
	int rc;

	while (at < end && digit(*at) >= 0 && at - text < 8)
		offset = offset << 4 | (unsigned int)digit(*at++);
	if (at == text || (at < end && *at != ':'))
		return damaged(p, p->line, "an offset in hexadecimal is wanted");
	if (offset < p->open->pub.size)
		return damaged(p, p->line, "the offset is below that of the byte before, 0x%zx",
			       p->open->pub.size);
	/* what no line tells of is zeros */
	rc = grow_hex(p, offset);
	return rc || at == end ? rc : more_bytes(p, at + 1, end);
}

static int parse_more(struct parser *p, char *line, char *end)
{
	char *text = line + 1 + (line + 1 < end && line[1] == ' ');

	if (!p->open)
		return damaged(p, p->line,
			       "the line belongs to no file: NAME | or NAME hex is wanted above");
	return p->is_hex ? more_hex(p, text, end) : more_text(p, text, end);
}

static int parse_line(struct parser *p, char *line, char *end)
{
	if (line == end || *line == '#')
		return 0;
	if (*line == '|')
		return parse_more(p, line, end);
	p->open = NULL;
	if (*line == '/')
		return parse_folder(p, line, end);
	return parse_entry(p, line, end);
}

/* The next line, without its end. False: there is none, or @rc tells why not. */
static bool next_line(struct parser *p, char **line, char **end, int *rc)
{
	size_t left = (size_t)(p->end - p->at),
	       look = left < CAPTURE_LINE_MAX ? left : CAPTURE_LINE_MAX;

	*rc = 0;
	if (!left)
		return false;
	p->line++;
	*line = p->at;
	*end = memchr(p->at, '\n', look);
	if (!*end && left >= CAPTURE_LINE_MAX)
		*rc = damaged(p, p->line, "the line is longer than %u bytes", CAPTURE_LINE_MAX);
	else if (!*end)
		*rc = damaged(p, p->line, "the line has no end: the capture is cut off");
	p->at = *end ? *end + 1 : p->end;
	return !*rc;
}

static bool is_line(const char *line, const char *end, const char *word)
{
	return (size_t)(end - line) == strlen(word) && !strncmp(line, word, strlen(word));
}

static int parse_first(struct parser *p)
{
	static const char any[] = "msictl capture ";
	char *line, *end;
	int rc;

	if (!next_line(p, &line, &end, &rc) || !is_line(line, end, CAPTURE_MAGIC)) {
		if (!rc && p->line && end - line >= (ptrdiff_t)strlen(any) &&
		    !strncmp(line, any, strlen(any)))
			return damaged(p, 1,
				       "the capture has a format that this msictl does not know");
		rc = damaged(p, 1, "no capture: the first line is not \"%s\"", CAPTURE_MAGIC);
		hint(p->e, "msictl capture FILE writes one");
		return rc;
	}
	return 0;
}

/* Nothing follows the end but empty lines. */
static int parse_rest(struct parser *p)
{
	char *line, *end;
	int rc;

	while (next_line(p, &line, &end, &rc))
		if (line != end)
			return damaged(p, p->line, "something follows the end of the capture");
	return rc;
}

static int parse_lines(struct parser *p)
{
	char *line, *end;
	int rc = parse_first(p);

	if (rc)
		return rc;
	while (next_line(p, &line, &end, &rc)) {
		if (is_line(line, end, CAPTURE_END))
			return parse_rest(p);
		rc = parse_line(p, line, end);
		if (rc)
			return rc;
	}
	return rc ? rc
		  : damaged(p, p->line,
			    "the capture is cut off: its last line is not \"" CAPTURE_END "\"");
}

/* --- looking up --- */

struct walk {
	const struct capture *c;
	const struct own_node *at;
	char todo[PATH_MAX];
	unsigned int followed;
	size_t *steps; /* counted down; NULL: not counted */
	bool follow;
};

/* Puts a link's target in front of what is left. */
static int walk_follow(struct walk *w, const char *target, const char *rest)
{
	char all[PATH_MAX];

	if (++w->followed > FOLLOW_MAX)
		return -ELOOP;
	if (target[0] == '/')
		w->at = w->c->root;
	if ((size_t)snprintf(all, sizeof(all), "%s/%s", target, rest) >= sizeof(all))
		return -ENAMETOOLONG;
	copy_text(w->todo, sizeof(w->todo), all);
	return 0;
}

static int walk_into(struct walk *w, const char *name, const char *rest)
{
	const struct own_node *n;
	bool last = !rest[strspn(rest, "/")];

	if (strlen(name) > NAME_MAX)
		return -ENAMETOOLONG;
	n = node_find(w->c, w->at, name);
	if (!n)
		return -ENOENT;
	if (n->pub.kind == CAPTURE_LINK && (!last || w->follow))
		return walk_follow(w, n->pub.bytes, rest);
	w->at = n;
	memmove(w->todo, rest, strlen(rest) + 1);
	return 0;
}

static int walk_step(struct walk *w)
{
	char *name = w->todo + strspn(w->todo, "/"), *rest = name + strcspn(name, "/");

	if (w->steps && !(*w->steps)--)
		return -E2BIG;
	if (w->at->pub.kind == CAPTURE_UNREAD)
		return -w->at->pub.err;
	if (w->at->pub.kind != CAPTURE_FOLDER)
		return -ENOTDIR;
	if (*rest)
		*rest++ = '\0';
	if (*name && strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
		return walk_into(w, name, rest);
	if (!strcmp(name, ".."))
		w->at = (const struct own_node *)w->at->pub.parent;
	memmove(w->todo, rest, strlen(rest) + 1);
	return 0;
}

static int walk_all(struct walk *w, const struct capture_node **node)
{
	while (w->todo[0]) {
		int rc = walk_step(w);

		if (rc)
			return rc;
	}
	*node = &w->at->pub;
	return 0;
}

int capture_find(const struct capture *c, const char *path, bool follow,
		 const struct capture_node **node)
{
	struct walk w = { .c = c, .at = c->root, .follow = follow };

	if (strlen(path) >= sizeof(w.todo))
		return -ENAMETOOLONG;
	copy_text(w.todo, sizeof(w.todo), path);
	return walk_all(&w, node);
}

/* A circle of links, or a knot of them, is no machine's. */
static int check_link(struct parser *p, const struct own_node *n, size_t *steps)
{
	struct walk w = { .c = p->c,
			  .at = (const struct own_node *)n->pub.parent,
			  .follow = true,
			  .steps = steps };
	const struct capture_node *there;
	int rc;

	rc = walk_follow(&w, n->pub.bytes, "");
	if (!rc)
		rc = walk_all(&w, &there);
	if (rc == -ELOOP)
		return damaged(p, n->pub.line,
			       "the link leads in a circle, or through more than %d links",
			       FOLLOW_MAX);
	if (rc == -E2BIG || rc == -ENAMETOOLONG)
		return damaged(p, n->pub.line,
			       "the links up to here are too many or too long to be followed");
	return 0;
}

static int check_links(struct parser *p)
{
	size_t steps = STEPS_MAX;

	for (const struct block *b = p->c->blocks; b; b = b->next) {
		for (size_t i = 0; i < b->used; i++) {
			int rc = b->node[i].pub.kind == CAPTURE_LINK
					 ? check_link(p, &b->node[i], &steps)
					 : 0;

			if (rc)
				return rc;
		}
	}
	return 0;
}

/* --- the whole --- */

int capture_parse(char *text, size_t size, const char *name, struct capture **c, struct error *e)
{
	struct capture *got = calloc(1, sizeof(*got));
	struct parser p = { .c = got, .at = text, .end = text + size, .file = name, .e = e };
	int rc;

	*c = NULL;
	if (!got) {
		free(text);
		return no_memory(e);
	}
	got->text = text;
	got->root = node_alloc(got);
	rc = got->root ? 0 : no_memory(e);
	if (!rc) {
		got->root->pub = (struct capture_node){ .parent = &got->root->pub, .name = "" };
		rc = parse_lines(&p);
	}
	if (!rc)
		rc = check_links(&p);
	if (rc)
		capture_free(got);
	else
		*c = got;
	return rc;
}

static void keep_node(void *n)
{
	(void)n;
}

void capture_free(struct capture *c)
{
	if (!c)
		return;
	tdestroy(c->index, keep_node);
	for (struct block *b = c->blocks, *next; b; b = next) {
		next = b->next;
		free(b);
	}
	for (struct bytes *b = c->bytes, *next; b; b = next) {
		next = b->next;
		free(b);
	}
	free(c->text);
	free(c);
}

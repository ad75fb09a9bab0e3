// SPDX-License-Identifier: GPL-2.0-or-later
/* help, quit, and the hidden command that completion asks. */
#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "cli/session.h"
#include "cmd/all.h"
#include "host/function.h"
#include "host/pci.h"

enum {
	HELP_MAN
};

static int run_help(struct session *s, const struct args *a, struct error *e)
{
	const struct command *cmd = NULL;

	if (a->option[HELP_MAN].given) {
		command_man(s->commands, s->out);
		return 0;
	}
	if (a->param[0].given) {
		cmd = command_find(s->commands, a->param[0].text, s->inside, e);
		if (!cmd)
			return -EINVAL;
	}
	command_help(s->commands, cmd, s->inside, s->out);
	return 0;
}

const struct command cmd_help = {
	.word = "help",
	.summary = "list the commands, or tell more of one",
	.family = FAMILY_SCRIPT,
	COMMAND_PARAMS({ .type = ARG_COMMAND, .optional = true }),
	COMMAND_OPTIONS([HELP_MAN] = { .word = "man", .type = ARG_FLAG }),
	.run = run_help,
};

static int run_quit(struct session *s, const struct args *a, struct error *e)
{
	(void)a;
	(void)e;
	s->quit = true;
	return 0;
}

const struct command cmd_quit = {
	.word = "quit",
	.summary = "end the session and put everything back",
	.family = FAMILY_SCRIPT,
	.flags = CMD_INSIDE,
	.run = run_quit,
};

/* --- completion --- */

struct device_words {
	const struct root *root;
	struct pci_names *names;
	const char *prefix;
	void (*add)(void *to, const char *word, const char *help);
	void *to;
};

static void add_function(struct device_words *d, const struct pci_addr *addr)
{
	char word[PCI_ADDR_LEN], name[PCI_NAME] = "", text[ROOT_NAME + 1 + PCI_NAME] = "";
	struct function f;
	struct error e;

	/* Short as list shows it; in full only for who began to write a domain. */
	pci_addr_short(addr, word);
	if (strncmp(word, d->prefix, strlen(d->prefix)) != 0)
		pci_addr_full(addr, word);
	if (strncmp(word, d->prefix, strlen(d->prefix)) != 0 ||
	    function_read(d->root, addr, &f, &e))
		return;
	/* Without root the list of capabilities cannot be read to its end: better one too many. */
	if (!f.caps.has_msi && !f.caps.has_msix && f.caps.problem != CAPS_SHORT_CONFIG)
		return;
	if (d->names)
		pci_name(d->names, f.vendor, f.device, name, sizeof(name));
	append(text, sizeof(text), "%s %s", f.driver[0] ? f.driver : "-", name);
	d->add(d->to, word, text);
}

static void add_devices(void *ctx, enum arg_type type, const char *prefix,
			void (*add)(void *to, const char *word, const char *help), void *to)
{
	struct device_words d = { .root = ctx, .prefix = prefix, .add = add, .to = to };
	_cleanup_free_ struct pci_addr *list = NULL;
	struct error e;
	ssize_t n;

	if (type != ARG_DEVICE)
		return;
	n = function_scan(d.root, &list, &e);
	d.names = n > 0 ? pci_names_open() : NULL;
	for (ssize_t i = 0; i < n; i++)
		add_function(&d, &list[i]);
	pci_names_close(d.names);
}

static void print_candidate(void *to, const char *word, const char *help)
{
	out_text(to, "%s%s%s", word, help ? "\t" : "", help ? help : "");
}

/* The words may name another root than ours, for devices of a captured tree. */
static bool other_root(int n, char **word, struct root *root)
{
	struct globals g = { 0 };
	struct error e;
	int at;

	globals_parse(n, word, &g, &at, &e);
	return g.root && !root_open(root, g.root, &e);
}

static int run_complete(struct session *s, const struct args *a, struct error *e)
{
	size_t n = a->nrest + 1;
	_cleanup_free_ char **word = calloc(n + 2, sizeof(*word));
	struct completion_source src = { .candidates = add_devices, .ctx = &s->root };
	struct root root;
	bool other;

	if (!word)
		return fail_memory(e);
	/* getopt skips the first word as the program's; the last is half typed. */
	word[0] = (char *)(uintptr_t)a->command->word;
	word[1] = (char *)(uintptr_t)(a->param[0].given ? a->param[0].text : "");
	for (size_t i = 0; i < a->nrest; i++)
		word[2 + i] = a->rest[i];
	other = other_root((int)n, word, &root);
	if (other)
		src.ctx = &root;
	command_complete(s->commands, (int)n, word + 1, false, &src, print_candidate, s->out);
	if (other)
		root_close(&root);
	return 0;
}

const struct command cmd_complete = {
	.word = "__complete",
	.summary = "print candidates for the last word, one per line, and a tab before their help",
	.family = FAMILY_SCRIPT,
	.flags = CMD_HIDDEN | CMD_OUTSIDE,
	COMMAND_PARAMS({ .type = ARG_TEXT, .optional = true, .many = true }),
	.run = run_complete,
};

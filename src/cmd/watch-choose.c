// SPDX-License-Identifier: GPL-2.0-or-later
/* What watch is to look at, by its words. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "cmd/vectors.h"
#include "cmd/watch.h"
#include "host/function.h"

static bool chosen_already(const struct watch *w, const struct pci_addr *a, const char *text)
{
	for (size_t i = 0; i < w->n; i++) {
		const struct watched *d = &w->device[i];

		if (a ? d->addressed && !pci_addr_cmp(&d->host.addr, a) : !strcmp(d->full, text))
			return true;
	}
	return false;
}

static int choose_held(struct watch *w, const char *text, struct error *e)
{
	struct pci_addr a;
	bool addressed = pci_addr_parse(text, &a, &(struct error){ 0 }) == 0;
	struct watched *d;

	if (chosen_already(w, addressed ? &a : NULL, text))
		return 0;
	if (watch_add(w, addressed ? &a : NULL, text))
		return fail_memory(e);
	d = &w->device[w->n - 1];
	d->held = strdup(text);
	return d->held ? 0 : fail_memory(e);
}

static int no_function(const char *bdf, struct error *e)
{
	fail(e, CAUSE_NO_DEVICE, ENODEV, "there is no PCI function %s", bdf);
	hint(e, "msictl list");
	return -ENODEV;
}

static int choose_function(struct session *s, struct watch *w, const char *text, struct error *e)
{
	unsigned int misses = root_misses(&s->root);
	struct pci_addr a;
	char bdf[PCI_ADDR_LEN];
	int rc;

	rc = s->root.live ? watch_is_held(text, e) : 0;
	if (rc)
		return rc < 0 ? rc : choose_held(w, text, e);
	rc = session_address(s, text, &a, e);
	if (rc && backend_find(s->backends, text)) {
		_cleanup_free_ char *word = quote_word_dup(text);

		rc = fail(e, CAUSE_USAGE, 0,
			  "only a PCI function of this host is counted by Linux");
		hint(e, "msictl run %s -c 'enable msix 1; watch'", word ? word : text);
	}
	if (rc)
		return rc;
	if (!root_exists(&s->root, "sys/bus/pci/devices/%s", pci_addr_full(&a, bdf)))
		return root_missed(&s->root, misses) ? root_fail_missed(&s->root, e)
						     : no_function(bdf, e);
	if (chosen_already(w, &a, text))
		return 0;
	return watch_add(w, &a, NULL) ? fail_memory(e) : 0;
}

static int choose_own(struct session *s, struct watch *w, struct error *e)
{
	struct device *dev = s->device;
	int rc = device_here(dev, e);
	struct watched *d;

	if (rc)
		return rc;
	if (watch_add(w, dev->has_addr ? &dev->addr : NULL, dev->spec))
		return fail_memory(e);
	d = &w->device[0];
	d->own = dev;
	return 0;
}

static const char *word_at(const struct args *a, size_t i)
{
	return i ? a->rest[i - 1] : a->param[0].text;
}

/* The vectors that it has of one index at most; UINT_MAX: not known. */
static unsigned int most_vectors(struct session *s, const struct watched *d)
{
	struct function *f;
	struct error ignored;
	unsigned int n = UINT_MAX;

	if (d->own)
		return vectors_most(
			&(struct vector_source){ .caps = &d->own->caps, .device = d->own });
	if (!d->addressed)
		return watch_held_most(s, d);
	f = malloc(sizeof(*f));
	if (f && !function_peek(&s->root, &d->host.addr, f, &ignored))
		n = vectors_most(&(struct vector_source){ .caps = &f->caps });
	free(f);
	return n;
}

/* Of several devices one that has them is enough. */
static int check_range(struct session *s, const struct watch *w, struct error *e)
{
	unsigned int most = 0;

	if (!w->n || !w->vectors.given || w->vectors.word != VECTORS_LISTED)
		return 0;
	for (size_t i = 0; i < w->n; i++) {
		unsigned int n = most_vectors(s, &w->device[i]);

		most = n > most ? n : most;
	}
	return vectors_within(&w->vectors, most, w->n > 1 ? "the devices have" : "the device has",
			      e);
}

static int choose(struct session *s, struct watch *w, const struct args *a, struct error *e)
{
	size_t n = a->param[0].given ? 1 + a->nrest : 0;
	int rc = 0;

	w->vectors = a->param[1];
	if (s->device)
		return choose_own(s, w, e);
	if (s->attached)
		return choose_held(w, s->attached, e);
	/* DEVICE takes all words; the last of them may be VECTORS, which no DEVICE looks like */
	if (n && !vector_set_parse(word_at(a, n - 1), &w->vectors.word, &w->vectors.vectors)) {
		w->vectors.given = true;
		n--;
	}
	w->every = !n;
	for (size_t i = 0; !rc && i < n; i++)
		rc = choose_function(s, w, word_at(a, i), e);
	return rc;
}

int watch_choose(struct session *s, struct watch *w, const struct args *a, struct error *e)
{
	int rc = choose(s, w, a, e);

	return rc ? rc : check_range(s, w, e);
}

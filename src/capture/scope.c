// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/scope.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "host/function.h"

#define DEVICES "sys/bus/pci/devices"

/* One more at the end of a list, of which each is there once. */
#define ADD(list, n, value, same)                                             \
	({                                                                    \
		int rc_ = 0;                                                  \
		size_t at_ = 0;                                               \
		void *more_;                                                  \
                                                                              \
		while (at_ < (n) && !same((list)[at_], value))                \
			at_++;                                                \
		if (at_ == (n)) {                                             \
			more_ = reallocarray(list, (n) + 1, sizeof(*(list))); \
			rc_ = more_ ? 0 : -ENOMEM;                            \
			if (more_) {                                          \
				(list) = more_;                               \
				(list)[(n)++] = (value);                      \
			}                                                     \
		}                                                             \
		rc_;                                                          \
	})
#define SAME_NUMBER(a, b)  ((a) == (b))
#define SAME_ADDRESS(a, b) (!pci_addr_cmp(&(a), &(b)))

static bool address_of(const char *name, struct pci_addr *a)
{
	struct error ignored;

	return !pci_addr_parse(name, a, &ignored);
}

static int add_irqs(struct capture_scope *s, const struct root *r, const char *bdf)
{
	_cleanup_root_dir_ struct root_dir *dir = root_opendir(r, DEVICES "/%s/msi_irqs", bdf);
	struct dirent *entry;
	uint64_t irq;
	int rc = 0;

	if (!root_number(r, &irq, DEVICES "/%s/irq", bdf) && irq && irq <= UINT_MAX)
		rc = ADD(s->irq, s->nirq, (unsigned int)irq, SAME_NUMBER);
	while (!rc && dir && root_readdir(dir, &entry, &rc))
		if (!parse_u64(entry->d_name, 10, UINT_MAX, &irq))
			rc = ADD(s->irq, s->nirq, (unsigned int)irq, SAME_NUMBER);
	return rc;
}

static int add_function(struct capture_scope *s, const struct root *r, const struct pci_addr *a);

static int add_group(struct capture_scope *s, const struct root *r, const char *bdf)
{
	_cleanup_free_ struct group_member *list = NULL;
	int group = function_group(r, bdf), rc;
	size_t before = s->ngroup;
	ssize_t n;

	if (group < 0)
		return 0;
	rc = ADD(s->group, s->ngroup, group, SAME_NUMBER);
	if (rc || s->ngroup == before)
		return rc;
	n = group_members(r, group, &list);
	if (n == -ENOMEM)
		return -ENOMEM;
	for (ssize_t i = 0; !rc && i < n; i++)
		rc = add_function(s, r, &list[i].addr);
	return rc;
}

/*
 * With the bridges above it, which its path in sysfs names; theirs are groups of their own, left
 * out.
 */
static int add_function(struct capture_scope *s, const struct root *r, const struct pci_addr *a)
{
	char bdf[PCI_ADDR_LEN], target[PATH_MAX], *save = NULL;
	struct pci_addr above;
	size_t before = s->nfunction;
	int rc = ADD(s->function, s->nfunction, *a, SAME_ADDRESS);

	if (rc || s->nfunction == before)
		return rc;
	pci_addr_full(a, bdf);
	rc = add_irqs(s, r, bdf);
	if (rc || root_target(r, target, sizeof(target), DEVICES "/%s", bdf) <= 0)
		return rc;
	for (char *w = strtok_r(target, "/", &save); !rc && w; w = strtok_r(NULL, "/", &save))
		if (address_of(w, &above))
			rc = add_function(s, r, &above);
	return rc;
}

int scope_read(struct capture_scope *s, const struct root *r, const struct pci_addr *a,
	       struct error *e)
{
	struct function f;
	char bdf[PCI_ADDR_LEN];
	int rc = function_peek(r, a, &f, e);

	if (rc)
		return rc;
	rc = add_function(s, r, a);
	return rc ? rc : add_group(s, r, pci_addr_full(a, bdf));
}

void scope_free(struct capture_scope *s)
{
	free(s->function);
	free(s->irq);
	free(s->group);
}

bool scope_has_irq(const struct capture_scope *s, unsigned int irq)
{
	for (size_t i = 0; i < s->nirq; i++)
		if (s->irq[i] == irq)
			return true;
	return false;
}

static bool has_function(const struct capture_scope *s, const char *name)
{
	struct pci_addr a;

	if (!address_of(name, &a))
		return false;
	for (size_t i = 0; i < s->nfunction; i++)
		if (!pci_addr_cmp(&s->function[i], &a))
			return true;
	return false;
}

static bool has_group(const struct capture_scope *s, const char *name)
{
	uint64_t group;

	if (parse_u64(name, 10, INT_MAX, &group))
		return false;
	for (size_t i = 0; i < s->ngroup; i++)
		if (s->group[i] == (int)group)
			return true;
	return false;
}

bool scope_wants(const struct capture_scope *s, const char *folder, const char *name)
{
	static const char devices[] = "/devices";
	size_t len = strlen(folder);
	uint64_t irq;

	if (!s->nfunction)
		return true;
	if (!strcmp(folder, "sys/kernel/irq") || !strcmp(folder, "proc/irq"))
		return !parse_u64(name, 10, UINT_MAX, &irq) && scope_has_irq(s, (unsigned int)irq);
	if (!strcmp(folder, "sys/kernel/iommu_groups"))
		return has_group(s, name);
	return len < strlen(devices) || strcmp(folder + len - strlen(devices), devices) != 0 ||
	       has_function(s, name);
}

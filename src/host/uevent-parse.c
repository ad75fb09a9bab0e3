// SPDX-License-Identifier: GPL-2.0-or-later
/* The bytes of an event -> struct uevent. Pure. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/util.h"
#include "host/uevent.h"

/* Where the values of the keys that we know stand in the message. */
struct found {
	const char *action, *devpath, *subsystem, *driver, *seqnum, *uuid;
};

static const struct {
	const char *key;
	size_t at;
} keys[] = {
	{ "ACTION", offsetof(struct found, action) },
	{ "DEVPATH", offsetof(struct found, devpath) },
	{ "SUBSYSTEM", offsetof(struct found, subsystem) },
	{ "DRIVER", offsetof(struct found, driver) },
	{ "SEQNUM", offsetof(struct found, seqnum) },
	/*
	 * Documentation/ABI/testing/sysfs-uevent: what was written to the file uevent carries it.
	 */
	{ "SYNTH_UUID", offsetof(struct found, uuid) },
};

static const char *const subsystems[] = { "pci", "vfio", "vfio-dev" };

/*
 * A key of ours that comes twice says two things: neither is believed. Other keys may do as they
 * like.
 */
static int take_pair(const char *text, struct found *f)
{
	size_t len = strcspn(text, "=");

	if (!text[len])
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const char **value = (const char **)((char *)f + keys[i].at);

		if (strlen(keys[i].key) != len || strncmp(keys[i].key, text, len) != 0)
			continue;
		if (*value)
			return -EINVAL;
		*value = text + len + 1;
		return 0;
	}
	return 0;
}

/*
 * The first string says the same as ACTION and DEVPATH do (kobject_uevent_env() in
 * lib/kobject_uevent.c).
 */
static bool header_agrees(const char *header, const struct found *f)
{
	size_t len = strlen(f->action);

	return !strncmp(header, f->action, len) && header[len] == '@' &&
	       !strcmp(header + len + 1, f->devpath);
}

/* The last component of the first *@len bytes of @path, which get shorter by it. */
static const char *last_component(const char *path, size_t *len, size_t *n)
{
	const char *slash = memrchr(path, '/', *len);

	*n = 0;
	if (!slash)
		return NULL;
	*n = *len - (size_t)(slash + 1 - path);
	*len = (size_t)(slash - path);
	return slash + 1;
}

/* Spelled as the kernel does, or it is the name of something else. */
static bool address_of(const char *name, size_t n, struct pci_addr *a)
{
	char text[PCI_ADDR_LEN], full[PCI_ADDR_LEN];
	struct error ignored;

	if (!name || n >= sizeof(text))
		return false;
	copy_text(text, n + 1, name);
	return !pci_addr_parse(text, a, &ignored) && !strcmp(pci_addr_full(a, full), text);
}

/*
 * .../0000:01:00.0, or .../0000:01:00.0/vfio-dev/vfio3; a mediated device below a function is not
 * the function.
 */
static bool address_of_path(const struct uevent *u, struct pci_addr *a)
{
	size_t len = strlen(u->devpath), n;
	const char *name = last_component(u->devpath, &len, &n);

	if (!strcmp(u->subsystem, "vfio-dev")) {
		name = last_component(u->devpath, &len, &n);
		if (n != strlen("vfio-dev") || strncmp(name, "vfio-dev", n) != 0)
			return false;
		name = last_component(u->devpath, &len, &n);
	} else if (strcmp(u->subsystem, "pci") != 0) {
		return false;
	}
	return address_of(name, n, a);
}

/* /devices/virtual/vfio/11, or noiommu-11 there. */
static int group_of_path(const struct uevent *u)
{
	static const char groups[] = "/devices/virtual/vfio/", unsafe[] = "noiommu-";
	const char *name = u->devpath + strlen(groups);
	uint64_t n;

	if (strcmp(u->subsystem, "vfio") != 0 || strncmp(u->devpath, groups, strlen(groups)) != 0)
		return -1;
	if (!strncmp(name, unsafe, strlen(unsafe)))
		name += strlen(unsafe);
	return parse_u64(name, 10, INT_MAX, &n) ? -1 : (int)n;
}

int uevent_parse(const char *msg, size_t len, struct uevent *u)
{
	struct found f = { 0 };
	uint64_t seqnum;

	/* strlen() and its like stop inside the message because of this. */
	if (!len || msg[len - 1])
		return -EINVAL;
	for (const char *p = msg + strlen(msg) + 1; p < msg + len; p += strlen(p) + 1) {
		int rc = take_pair(p, &f);

		if (rc)
			return rc;
	}
	if (!f.action || !f.devpath || !f.subsystem || !f.seqnum)
		return -EINVAL;
	if (!f.action[0] || f.devpath[0] != '/' || !header_agrees(msg, &f))
		return -EINVAL;
	if (parse_u64(f.seqnum, 10, UINT64_MAX, &seqnum))
		return -EINVAL;
	*u = (struct uevent){ .action = f.action,
			      .subsystem = f.subsystem,
			      .devpath = f.devpath,
			      .driver = f.driver && f.driver[0] ? f.driver : NULL,
			      .seqnum = seqnum,
			      .synthetic = f.uuid };
	u->has_addr = address_of_path(u, &u->addr);
	u->group = group_of_path(u);
	return 0;
}

bool uevent_of_interest(const struct uevent *u)
{
	for (size_t i = 0; i < ARRAY_SIZE(subsystems); i++)
		if (!strcmp(subsystems[i], u->subsystem))
			return true;
	return false;
}

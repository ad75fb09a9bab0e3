// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Getting a device's descriptor by group and container (Documentation/driver-api/vfio.rst), and
 * giving it back.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "host/function.h"
#include "host/group-holder.h"
#include "host/group-node.h"
#include "runtime/holders.h"
#include "vfio/ioctl.h"

#define ALLOW_UNSAFE "/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts"

struct vfio_group {
	struct vfio vfio; /* first: the shared operations see only this */
	int group, container;
	int number; /* of the group */
};

/* VFIO_SPAPR_TCE_IOMMU needs an extra call, the others are ready after SET_IOMMU. */
static const struct {
	unsigned long type;
	const char *name;
	bool unsafe, enable;
} iommu_types[] = {
	{ VFIO_TYPE1v2_IOMMU, "TYPE1v2", false, false },
	{ VFIO_TYPE1_IOMMU, "TYPE1", false, false },
	{ VFIO_SPAPR_TCE_v2_IOMMU, "SPAPR_TCE_v2", false, false },
	{ VFIO_SPAPR_TCE_IOMMU, "SPAPR_TCE", false, true },
	{ VFIO_NOIOMMU_IOMMU, "NOIOMMU", true, false },
};

static bool claims_function(const char *spec)
{
	struct pci_addr a;
	struct error e;

	return pci_addr_parse(spec, &a, &e) == 0;
}

/* function_read() says which PCI address is nobody's. */
static int group_find(const struct open_request *req, struct error *e)
{
	_cleanup_free_ struct function *f = calloc(1, sizeof(*f));
	struct pci_addr a;
	int rc;

	if (!f)
		return fail_memory(e);
	rc = pci_addr_parse(req->spec, &a, e);
	return rc ? rc : function_peek(req->root, &a, f, e);
}

static int no_driver(const struct function *f, struct error *e)
{
	char bdf[PCI_ADDR_LEN];
	int rc;

	if (f->driver[0])
		rc = fail(e, CAUSE_BUSY, 0, "driven by %s, not by vfio-pci", f->driver);
	else
		rc = fail(e, CAUSE_FAILED, 0, "no driver is bound, vfio-pci is needed");
	hint(e, "msictl bind %s", pci_addr_short(&f->addr, bdf));
	return rc;
}

static int check_function(const struct open_request *req, const struct function *f, bool *noiommu,
			  struct error *e)
{
	int rc;

	*noiommu = f->noiommu;
	if (!driver_is_vfio(f->driver))
		return f->group < 0 && !f->driver[0] ? group_missing(e) : no_driver(f, e);
	if (f->group < 0)
		return group_missing(e);
	if (!*noiommu || req->noiommu)
		return 0;
	rc = fail(e, CAUSE_PERMISSION, 0,
		  "the group has no IOMMU behind it (noiommu): the device may write to any memory");
	hint(e, "add --noiommu when that is what you want");
	return rc;
}

/* @node: its name in /dev/vfio */
static int open_node(const struct open_request *req, const struct pci_addr *a, const char *node,
		     int *fd, struct error *e)
{
	char path[sizeof("/dev/vfio/") + GROUP_NODE];
	int rc;

	snprintf(path, sizeof(path), "/dev/vfio/%s", node);
	*fd = open(path, O_RDWR | O_CLOEXEC);
	if (*fd >= 0)
		return 0;
	if (errno == ENOENT)
		return node_refuse(req->root, a, node, ENOENT, e);
	rc = fail(e, cause_of_errno(errno), errno, "cannot open %s", path);
	if (rc == -EACCES)
		hint(e, "run as root, or: chown $USER %s", path);
	return rc;
}

/* EBUSY says that somebody has the group open, not who. */
static int explain_busy(const struct open_request *req, const struct vfio_group *g, struct error *e)
{
	char name[PCI_ADDR_LEN];
	struct group_holder h = { 0 };
	_cleanup_fd_ int sock = -1;
	pid_t pid = 0;
	int rc;

	group_holder(req->root, g->number, &h);
	if (h.pid <= 0) {
		rc = fail(e, CAUSE_BUSY, EBUSY, "IOMMU group %d is open in another process",
			  g->number);
		hint(e, "fuser -v /dev/vfio/%d", g->number);
		return rc;
	}
	rc = group_refuse(g->number, &h, e);
	if (h.ours)
		sock = hold_connect_group(req->root, g->number, &pid);
	/* the commands that open a device have found no holder of this one */
	if (sock >= 0 && pid == h.pid)
		hint(e, "msictl hold %s   lets pid %d hold this function of the group too",
		     pci_addr_short(&g->vfio.addr, name), h.pid);
	return rc;
}

static int open_group(const struct open_request *req, struct vfio_group *g, bool noiommu,
		      struct error *e)
{
	char node[GROUP_NODE];
	int rc = open_node(req, &g->vfio.addr, group_node(g->number, noiommu, node), &g->group, e);

	return rc == -EBUSY ? explain_busy(req, g, e) : rc;
}

/* The remedy is that of the first member. */
static void name_member(const struct group_member *m, bool first, struct error *e)
{
	char bdf[PCI_ADDR_LEN];

	append(e->message, sizeof(e->message), "%s%s has %s", first ? "" : ", ",
	       pci_addr_short(&m->addr, bdf), m->driver);
	if (first)
		hint(e, "msictl bind %s   (every member must be on vfio-pci or without a driver)",
		     bdf);
}

int group_not_viable(const struct root *r, int group, struct error *e)
{
	_cleanup_free_ struct group_member *m = NULL;
	ssize_t n = group_members(r, group, &m);
	bool named = false;

	fail(e, CAUSE_NOT_VIABLE, EPERM, "IOMMU group %d is not viable: ", group);
	for (ssize_t i = 0; i < n; i++) {
		if (!m[i].blocks)
			continue;
		name_member(&m[i], !named, e);
		named = true;
	}
	if (!named)
		append(e->message, sizeof(e->message), "a member has a driver that is not VFIO's");
	return -EPERM;
}

static int set_iommu(const struct open_request *req, struct vfio_group *g, bool noiommu,
		     struct error *e)
{
	const struct trace *t = req->trace;
	int rc = -ENODEV;

	for (size_t i = 0; i < ARRAY_SIZE(iommu_types); i++) {
		void *type = (void *)iommu_types[i].type;
		const char *name = iommu_types[i].name;

		if (iommu_types[i].unsafe != noiommu ||
		    vfio_call(t, g->container,
			      VFIO_REQUEST(VFIO_CHECK_EXTENSION, .arg = type, .detail = name)) <= 0)
			continue;
		rc = vfio_call(t, g->container,
			       VFIO_REQUEST(VFIO_SET_IOMMU, .arg = type, .detail = name));
		if (rc == 0 && iommu_types[i].enable)
			rc = vfio_call(t, g->container,
				       VFIO_REQUEST(VFIO_IOMMU_ENABLE, .arg = NULL));
		if (rc == 0)
			return 0;
		if (rc == -EPERM)
			break;
	}
	fail(e, rc == -EPERM ? CAUSE_PERMISSION : CAUSE_FAILED, -rc, "the container got no IOMMU%s",
	     rc == -EPERM
		     ? ": this host has no interrupt remapping, so a device could forge interrupts"
		     : "");
	if (rc == -EPERM)
		hint(e, "echo 1 > %s   (trusted devices only)", ALLOW_UNSAFE);
	return rc;
}

static void tell_status(const void *arg, char *buf, size_t size)
{
	static const struct flag_word words[] = { { VFIO_GROUP_FLAGS_VIABLE, "VIABLE" },
						  { VFIO_GROUP_FLAGS_CONTAINER_SET,
						    "CONTAINER_SET" } };
	const struct vfio_group_status *s = arg;

	snprintf(buf, size, "flags=");
	append_flags(buf, size, words, ARRAY_SIZE(words), s->flags);
}

static int join_container(const struct open_request *req, struct vfio_group *g, int group,
			  struct error *e)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	int rc;

	rc = vfio_call(req->trace, g->container, VFIO_REQUEST(VFIO_GET_API_VERSION, .arg = NULL));
	if (rc != VFIO_API_VERSION)
		return fail(e, CAUSE_FAILED, 0, "the kernel speaks VFIO API version %d, not %d", rc,
			    VFIO_API_VERSION);
	rc = vfio_call(req->trace, g->group,
		       VFIO_REQUEST(VFIO_GROUP_GET_STATUS, .arg = &status, .answer = tell_status));
	if (rc < 0)
		return fail(e, cause_of_errno(-rc), -rc, "VFIO_GROUP_GET_STATUS failed");
	if (!(status.flags & VFIO_GROUP_FLAGS_VIABLE))
		return group_not_viable(req->root, group, e);
	rc = vfio_call(req->trace, g->group,
		       VFIO_REQUEST(VFIO_GROUP_SET_CONTAINER, .arg = &g->container));
	if (rc < 0)
		return fail(e, cause_of_errno(-rc), -rc, "the group could not join a container");
	return 0;
}

static int get_device(const struct open_request *req, struct vfio_group *g, struct error *e)
{
	char bdf[PCI_ADDR_LEN];
	int rc;

	pci_addr_full(&g->vfio.addr, bdf);
	rc = vfio_call(req->trace, g->group,
		       VFIO_REQUEST(VFIO_GROUP_GET_DEVICE_FD, .arg = bdf, .detail = bdf));
	if (rc < 0)
		return fail(e, cause_of_errno(-rc), -rc, "VFIO gives no descriptor for %s", bdf);
	g->vfio.device = rc;
	return fcntl(rc, F_SETFD, FD_CLOEXEC) < 0 ? -errno : 0;
}

static void group_close(void *handle)
{
	struct vfio_group *g = handle;

	/* The device first: a group is busy while one of its devices is open. */
	cleanup_fd(&g->vfio.device);
	cleanup_fd(&g->group);
	cleanup_fd(&g->container);
	free(g);
}

static const struct vfio_group *find_sibling(const struct open_request *req, int group)
{
	for (size_t i = 0; i < req->siblings.n; i++) {
		const struct vfio_group *g = req->siblings.at[i].handle;

		if (req->siblings.at[i].backend == &vfio_group_backend && g && g->number == group)
			return g;
	}
	return NULL;
}

/*
 * A group can be opened once (EBUSY), and its devices share a container: both live until the last
 * descriptor goes.
 */
static int share_group(const struct vfio_group *from, struct vfio_group *g, struct error *e)
{
	g->container = fcntl(from->container, F_DUPFD_CLOEXEC, 3);
	g->group = fcntl(from->group, F_DUPFD_CLOEXEC, 3);
	if (g->container >= 0 && g->group >= 0)
		return 0;
	return fail(e, CAUSE_FAILED, errno, "the descriptors of IOMMU group %d can't be shared",
		    g->number);
}

static int open_new_group(const struct open_request *req, struct vfio_group *g, bool noiommu,
			  struct error *e)
{
	int rc = open_node(req, &g->vfio.addr, "vfio", &g->container, e);

	if (rc == 0)
		rc = open_group(req, g, noiommu, e);
	if (rc == 0)
		rc = join_container(req, g, g->number, e);
	return rc ? rc : set_iommu(req, g, noiommu, e);
}

static int open_steps(const struct open_request *req, struct vfio_group *g, struct error *e)
{
	_cleanup_free_ struct function *f = calloc(1, sizeof(*f));
	const struct vfio_group *sibling;
	bool noiommu;
	int rc;

	if (!f)
		return fail_memory(e);
	rc = pci_addr_parse(req->spec, &g->vfio.addr, e);
	if (rc == 0)
		rc = function_read(req->root, &g->vfio.addr, f, e);
	if (rc == 0)
		rc = check_function(req, f, &noiommu, e);
	if (rc)
		return rc;
	g->number = f->group;
	sibling = find_sibling(req, f->group);
	rc = sibling ? share_group(sibling, g, e) : open_new_group(req, g, noiommu, e);
	return rc ? rc : get_device(req, g, e);
}

static int group_open(const struct open_request *req, void **handle, struct error *e)
{
	struct vfio_group *g;
	int rc;

	g = calloc(1, sizeof(*g));
	if (!g)
		return fail_memory(e);
	g->vfio.device = g->group = g->container = -1;
	g->vfio.trace = req->trace;
	rc = open_steps(req, g, e);
	if (rc < 0) {
		group_close(g);
		return rc;
	}
	*handle = g;
	return 0;
}

const struct backend vfio_group_backend = {
	.name = "vfio",
	.help = "[domain:]bus:dev.fn of a function on vfio-pci, by group and container",
	.ops = &vfio_ops,
	.claims = claims_function,
	.find = group_find,
	.open = group_open,
	.close = group_close,
};

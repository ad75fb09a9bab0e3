// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bench-lab DEVICE - CPU time of the thread that reads, for each interrupt that
 * an e1000e raises through the real vfio-pci: msictl's device and loop beside a
 * bare program's ioctls, epoll and read. Both take turns on the same device.
 */
#include <dirent.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "../bench.h"
#include "../vectors.h"
#include "base/util.h"

#define ROUNDS	11
#define WAKES	300 /* a round */
#define VECTORS 5u

#define COMMAND	  4u /* linux/pci_regs.h: PCI_COMMAND */
#define MEMORY_BM 6u

/* Intel 82574 datasheet, 10.2.4: a bit in ICS raises a vector, bit 20 that of vector 0. */
#define ICS 0xc8u

/* QEMU 7.2 aborts when MSI-X goes off while its e1000e still has a timer of the last interrupt (e1000e_core.c:169). */
#define SETTLE_US 100000

/* 7.4, 10.2.4: five vectors, not throttled (EITR), each cleared by its message, kept enabled by IAME. */
static const struct {
	uint32_t at, value;
} ready[] = {
	{ 0xd8, 0xffffffff }, { 0xc0, 0xffffffff }, { 0xe4, 0x000cba98 }, { 0xe8, 0 },
	{ 0xec, 0 },	      { 0xf0, 0 },	    { 0xf4, 0 },	  { 0xf8, 0 },
	{ 0xdc, 0x01f00000 }, { 0x18, 0x08000000 }, { 0xd0, 0x01f00000 },
};

/* Whoever has the device open. */
struct side {
	void (*write)(struct side *s, uint64_t at, uint32_t value); /* BAR0 */
	int (*wait)(struct side *s);				    /* how many vectors counted */
	struct device *d;
	struct loop *loop;
	struct root root;
	int container, group, device, epoll, fd[VECTORS];
	uint64_t bar0, config, count[VECTORS];
};

/* --- msictl --- */

static void write_ours(struct side *s, uint64_t at, uint32_t value)
{
	must(s->d->ops->region_write(s->d->handle, 0, &value, sizeof(value), at) == sizeof(value),
	     "BAR0");
}

static int wait_ours(struct side *s)
{
	return loop_wait(s->loop, UINT64_MAX);
}

static void open_ours(struct side *s, const char *name)
{
	static const struct trace quiet;
	const struct open_request req = { .spec = name, .root = &s->root, .trace = &quiet };
	struct vector_set all = { 0 };
	struct change c = { 0 };
	struct error e = { 0 };

	*s = (struct side){ .write = write_ours, .wait = wait_ours };
	vector_set_add_range(&all, 0, VECTORS);
	must(!root_open(&s->root, NULL, &e) && !loop_new(&s->loop), "loop");
	must(!device_open(&s->d, &req, s->loop, NULL, &e), e.message);
	must(!device_enable(s->d, IRQ_MSIX, &all, (struct change_how){ 0 }, &c, &e), e.message);
}

static void close_ours(struct side *s)
{
	device_close(s->d);
	loop_free(s->loop);
	root_close(&s->root);
}

/* --- the bare program --- */

static void write_bare(struct side *s, uint64_t at, uint32_t value)
{
	must(pwrite(s->device, &value, sizeof(value), (off_t)(s->bar0 + at)) == sizeof(value),
	     "BAR0");
}

static int wait_bare(struct side *s)
{
	return vectors_take(s->epoll, s->count, -1);
}

static uint64_t region_of(int device, uint32_t index)
{
	struct vfio_region_info info = { .argsz = sizeof(info), .index = index };

	must(!ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &info), "region");
	return info.offset;
}

static void open_group(struct side *s, const char *name)
{
	char path[128], link[256] = "";

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%.64s/iommu_group", name);
	must(readlink(path, link, sizeof(link) - 1) > 0, path);
	snprintf(path, sizeof(path), "/dev/vfio/%.64s", strrchr(link, '/') + 1);
	s->container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	s->group = open(path, O_RDWR | O_CLOEXEC);
	must(s->container >= 0 && s->group >= 0, path);
	must(!ioctl(s->group, VFIO_GROUP_SET_CONTAINER, &s->container), "container");
	must(!ioctl(s->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU), "IOMMU");
	s->device = ioctl(s->group, VFIO_GROUP_GET_DEVICE_FD, name);
	must(s->device >= 0, name);
}

static void open_bare(struct side *s, const char *name)
{
	union {
		struct vfio_irq_set set;
		char room[sizeof(struct vfio_irq_set) + sizeof(s->fd)];
	} irqs = { .set = { .argsz = sizeof(irqs),
			    .flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
			    .index = VFIO_PCI_MSIX_IRQ_INDEX,
			    .count = VECTORS } };
	uint16_t command = MEMORY_BM;

	*s = (struct side){ .write = write_bare, .wait = wait_bare };
	open_group(s, name);
	s->bar0 = region_of(s->device, VFIO_PCI_BAR0_REGION_INDEX);
	s->config = region_of(s->device, VFIO_PCI_CONFIG_REGION_INDEX);
	s->epoll = vectors_bare(VECTORS, s->fd);
	memcpy(irqs.set.data, s->fd, sizeof(s->fd));
	must(!ioctl(s->device, VFIO_DEVICE_SET_IRQS, &irqs), "SET_IRQS");
	must(pwrite(s->device, &command, sizeof(command), (off_t)s->config + COMMAND) ==
		     sizeof(command),
	     "command");
}

static void close_bare(struct side *s)
{
	close(s->device);
	close(s->group);
	close(s->container);
	vectors_drop_bare(s->epoll, s->fd, VECTORS);
}

/* --- one round --- */

struct ringer {
	struct side *side;
	unsigned int n;
	_Atomic uint64_t seen, began;
};

/* The interrupts and whoever raises them on CPU 1, the reader alone on CPU 0: else each round has another mixture. */
static void stay_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	must(!sched_setaffinity(0, sizeof(set), &set), "sched_setaffinity");
}

static void move_interrupts(const char *name)
{
	char path[128];
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%.64s/msi_irqs", name);
	dir = opendir(path);
	must(dir != NULL, path);
	while ((entry = readdir(dir))) {
		FILE *f;

		snprintf(path, sizeof(path), "/proc/irq/%.32s/smp_affinity_list", entry->d_name);
		f = entry->d_name[0] == '.' ? NULL : fopen(path, "w");
		if (!f)
			continue;
		must(fputs("1", f) >= 0 && !fclose(f), path);
	}
	closedir(dir);
}

static void *ring(void *arg)
{
	const struct timespec pause = { 0, 200000 };
	struct ringer *r = arg;

	stay_on(1);
	for (uint64_t i = 0; i < WAKES; i++) {
		while (atomic_load(&r->seen) != i)
			sched_yield();
		nanosleep(&pause, NULL);
		atomic_store(&r->began, now_ns());
		r->side->write(r->side, ICS, UINT32_C(1) << (20 + i % r->n));
	}
	return NULL;
}

static double cpu_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

struct result {
	double cpu, median, worst; /* microseconds; worst: 99th percentile */
};

static struct result measure(struct side *s, const char *name, unsigned int n)
{
	struct ringer r = { .side = s, .n = n };
	double us[WAKES], begin;
	struct result result;
	pthread_t t;

	stay_on(0);
	move_interrupts(name);
	for (size_t i = 0; i < ARRAY_SIZE(ready); i++)
		s->write(s, ready[i].at, ready[i].value);
	must(!pthread_create(&t, NULL, ring, &r), "thread");
	begin = cpu_now();
	for (uint64_t i = 0; i < WAKES; i++) {
		int rc = 0;

		while (rc == 0)
			rc = s->wait(s);
		must(rc == 1, "one interrupt");
		us[i] = (double)(now_ns() - atomic_load(&r.began)) / 1e3;
		atomic_store(&r.seen, i + 1);
	}
	result.cpu = (cpu_now() - begin) / WAKES / 1e3;
	pthread_join(t, NULL);
	usleep(SETTLE_US);
	result.median = median(us, WAKES);
	result.worst = us[WAKES * 99 / 100];
	return result;
}

static void round_of(const char *name, unsigned int n, struct result *ours, struct result *bare)
{
	struct side s;

	open_ours(&s, name);
	*ours = measure(&s, name, n);
	close_ours(&s);
	open_bare(&s, name);
	*bare = measure(&s, name, n);
	close_bare(&s);
}

static void compare(const char *name, unsigned int n)
{
	double cpu[2][ROUNDS], middle[2][ROUNDS], worst[2][ROUNDS];
	struct result ours, bare;
	char text[64];

	for (int i = 0; i < ROUNDS; i++) {
		round_of(name, n, &ours, &bare);
		cpu[0][i] = ours.cpu, cpu[1][i] = bare.cpu;
		middle[0][i] = ours.median, middle[1][i] = bare.median;
		worst[0][i] = ours.worst, worst[1][i] = bare.worst;
	}
	snprintf(text, sizeof(text), "vfio-pci: CPU per interrupt, %u vector%s", n,
		 n == 1 ? "" : "s");
	row_spread(text, cpu[0], cpu[1], ROUNDS, "us", "<= 1.1");
	row_spread("  from the device to the count, median", middle[0], middle[1], ROUNDS, "us",
		   "");
	row_spread("  from the device to the count, 99th perc.", worst[0], worst[1], ROUNDS, "us",
		   "");
}

int main(int argc, char **argv)
{
	struct utsname u;

	if (argc != 2) {
		fprintf(stderr, "usage: bench-lab DEVICE\n");
		return 2;
	}
	must(!uname(&u), "uname");
	printf("%s %s, %ld CPUs, %s\n\n", u.sysname, u.release, sysconf(_SC_NPROCESSORS_ONLN),
	       argv[1]);
	row_heads();
	compare(argv[1], 1);
	compare(argv[1], VECTORS);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Watching 64 vectors of a foreign device on a host of 512 CPUs and 8192 IRQs,
 * against reading and adding up all of /proc/interrupts.
 */
#include <ftw.h>
#include <limits.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define CPUS	  512
#define IRQS	  8192
#define VECTORS	  64
#define FIRST	  4096u
#define REFRESHES 40
#define ROUNDS	  5

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st, (void)type, (void)at;
	return remove(path);
}

static FILE *make(const char *dir, const char *path)
{
	char full[PATH_MAX];
	FILE *f;

	snprintf(full, sizeof(full), "%s/%s", dir, path);
	for (char *p = full + strlen(dir) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		mkdir(full, 0755);
		*p = '/';
	}
	f = fopen(full, "w");
	must(f != NULL, full);
	return f;
}

static void text(const char *dir, const char *path, const char *what)
{
	FILE *f = make(dir, path);

	fputs(what, f);
	must(!fclose(f), path);
}

/* All counts of the vectors are large: their per_cpu_count does not fit into the kernel's page any more. */
static int large;

static unsigned long count_at(unsigned int irq, unsigned int cpu)
{
	if (large && irq >= FIRST && irq < FIRST + VECTORS)
		return 1000000ul + irq + cpu;
	/* an IRQ mostly stays on a CPU */
	return irq % CPUS == cpu ? 1000000ul + irq : (irq * 31 + cpu) % 97 == 0;
}

static void make_interrupts(const char *dir)
{
	FILE *f = make(dir, "proc/interrupts");

	fputs("           ", f);
	for (unsigned int cpu = 0; cpu < CPUS; cpu++)
		fprintf(f, "CPU%-8u", cpu);
	fputs("\n", f);
	for (unsigned int irq = 0; irq < IRQS; irq++) {
		fprintf(f, "%5u: ", irq);
		for (unsigned int cpu = 0; cpu < CPUS; cpu++)
			fprintf(f, "%10lu ", count_at(irq, cpu));
		fprintf(f, " IR-PCI-MSI-0000:04:00.0 %u-edge nvme0q%u\n", irq % 2048, irq);
	}
	must(!fclose(f), "proc/interrupts");
}

/* Cut off at a page, as per_cpu_count_show() does. */
static void make_counts(FILE *f, unsigned int irq)
{
	char page[16 * CPUS] = "";
	int n = 0;

	for (unsigned int cpu = 0; cpu < CPUS; cpu++)
		n += snprintf(page + n, sizeof(page) - (size_t)n, "%s%lu", cpu ? "," : "",
			      count_at(irq, cpu));
	snprintf(page + n, sizeof(page) - (size_t)n, "\n");
	fprintf(f, "%.4095s", page);
	must(!fclose(f), "per_cpu_count");
}

static void make_irq(const char *dir, unsigned int vector)
{
	unsigned int irq = FIRST + vector;
	char path[128], value[64];

	snprintf(path, sizeof(path), "sys/bus/pci/devices/0000:04:00.0/msi_irqs/%u", irq);
	text(dir, path, "msix\n");
	snprintf(path, sizeof(path), "sys/kernel/irq/%u/hwirq", irq);
	snprintf(value, sizeof(value), "%u\n", vector);
	text(dir, path, value);
	snprintf(path, sizeof(path), "sys/kernel/irq/%u/chip_name", irq);
	text(dir, path, "IR-PCI-MSI-0000:04:00.0\n");
	snprintf(path, sizeof(path), "sys/kernel/irq/%u/actions", irq);
	snprintf(value, sizeof(value), "nvme0q%u\n", vector);
	text(dir, path, value);
	snprintf(path, sizeof(path), "proc/irq/%u/smp_affinity_list", irq);
	text(dir, path, "0-511\n");
	snprintf(path, sizeof(path), "proc/irq/%u/effective_affinity_list", irq);
	snprintf(value, sizeof(value), "%u\n", irq % CPUS);
	text(dir, path, value);
	snprintf(path, sizeof(path), "sys/kernel/irq/%u/per_cpu_count", irq);
	make_counts(make(dir, path), irq);
}

static double cpu_of(int who)
{
	struct rusage r;

	must(!getrusage(who, &r), "getrusage");
	return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1e3 +
	       (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e3;
}

/* CPU of msictl for so many refreshes, milliseconds. */
static double watch(const char *msictl, const char *dir, unsigned int refreshes)
{
	double before = cpu_of(RUSAGE_CHILDREN);
	char n[16];
	int status;
	pid_t pid;

	snprintf(n, sizeof(n), "%u", refreshes);
	pid = fork();
	if (pid == 0) {
		must(freopen("/dev/null", "w", stdout) != NULL, "/dev/null");
		execl(msictl, msictl, "--root", dir, "watch", "0000:04:00.0", "--batch", "--delay",
		      "100ms", "--iterations", n, (char *)NULL);
		_exit(127);
	}
	must(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0, "msictl watch");
	return cpu_of(RUSAGE_CHILDREN) - before;
}

/* Plain C, nothing checked: line by line, all columns added up. */
static unsigned long parse(const char *dir)
{
	char path[PATH_MAX], *line = NULL;
	unsigned long sum = 0;
	size_t size = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/proc/interrupts", dir);
	f = fopen(path, "r");
	must(f != NULL, path);
	while (getline(&line, &size, f) > 0) {
		char *p = strchr(line, ':');

		if (!p)
			continue;
		p++;
		for (unsigned int cpu = 0; cpu < CPUS; cpu++)
			sum += strtoul(p, &p, 10);
	}
	free(line);
	fclose(f);
	return sum;
}

static void bench_tree(const char *msictl, const char *what, const char *demanded)
{
	char dir[] = "/tmp/msictl-bench-XXXXXX";
	double begin, one, many, plain;
	unsigned long sum = 0;

	must(mkdtemp(dir) != NULL, "mkdtemp");
	make_interrupts(dir);
	for (unsigned int v = 0; v < VECTORS; v++)
		make_irq(dir, v);
	text(dir, "sys/bus/pci/devices/0000:04:00.0/vendor", "0x1b36\n");
	text(dir, "sys/devices/system/cpu/present", "0-511\n");
	one = watch(msictl, dir, 1);
	many = watch(msictl, dir, 1 + REFRESHES);
	begin = cpu_of(RUSAGE_SELF);
	for (int i = 0; i < ROUNDS; i++)
		sum += parse(dir);
	plain = (cpu_of(RUSAGE_SELF) - begin) / ROUNDS;
	must(sum > 0, "counts");
	row(what, (many - one) / REFRESHES, plain, "ms", demanded);
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void bench_watching(const char *msictl)
{
	bench_tree(msictl, "watching 64 of 8192 IRQs, CPU per refresh", "<= 0.10");
	large = 1;
	bench_tree(msictl, "  their counts need more than sysfs' page", "");
	large = 0;
}

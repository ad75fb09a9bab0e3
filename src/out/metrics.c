// SPDX-License-Identifier: GPL-2.0-or-later
#include "out/metrics.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"

#define NAME	"msictl_interrupts_total"
#define POSTED	"msictl_posted_possible"
#define MISSING "msictl_cpus_missing"

int metrics_begin(struct metrics *m)
{
	*m = (struct metrics){ 0 };
	m->f = open_memstream(&m->text, &m->size);
	if (!m->f)
		return -ENOMEM;
	fputs("# HELP " NAME
	      " Interrupts of a vector that Linux counted (source host), or signals of its eventfd.\n"
	      "# TYPE " NAME " counter\n",
	      m->f);
	return 0;
}

/* A label's value: \ " and line feeds are escaped, what is no text was made text before. */
static void put_label(FILE *f, const char *text)
{
	_cleanup_free_ char *clean = escape_text_dup(text);

	for (const char *p = clean ? clean : ""; *p; p++) {
		if (*p == '\\' || *p == '"')
			fputc('\\', f);
		fputc(*p, f);
	}
}

/* Writes the begin of a line: a name and the label "device", without the closing brace. */
static void put_name(FILE *f, const char *name, const char *device)
{
	fprintf(f, "%s{device=\"", name);
	put_label(f, device);
	fputc('"', f);
}

/* Writes HELP and TYPE of a gauge in front of its first line. @begun: the lines have begun. */
static void begin_gauge(FILE *f, bool *begun, const char *name, const char *help)
{
	if (!*begun)
		fprintf(f, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
	*begun = true;
}

void metrics_add(struct metrics *m, const char *device, enum metrics_source source,
		 const struct reading *r)
{
	static const char *const words[] = {
		[METRICS_HOST] = "host", [METRICS_EVENTFD] = "eventfd"
	};

	if (!r->counted)
		return;
	put_name(m->f, NAME, device);
	fprintf(m->f, ",source=\"%s\",index=\"%s\"", words[source], irq_index_word(r->index));
	/* a label that is empty is no label: what is not known is left out */
	if (r->vector >= 0)
		fprintf(m->f, ",vector=\"%d\"", r->vector);
	if (r->has_irq)
		fprintf(m->f, ",irq=\"%u\"", r->irq);
	fprintf(m->f, "} %" PRIu64 "\n", r->count);
}

void metrics_add_posted(struct metrics *m, const char *device, bool possible)
{
	begin_gauge(
		m->f, &m->posted, POSTED,
		"1: held by another program, whose interrupts may be posted to a VM past the host's counters.");
	put_name(m->f, POSTED, device);
	fprintf(m->f, "} %d\n", possible);
}

void metrics_add_missing(struct metrics *m, const char *device, int cpus)
{
	begin_gauge(
		m->f, &m->missing, MISSING,
		"CPUs that have no column in /proc/interrupts, so that the counters of the device leave out what they counted before.");
	put_name(m->f, MISSING, device);
	if (cpus < 0)
		fputs("} NaN\n", m->f);
	else
		fprintf(m->f, "} %d\n", cpus);
}

int metrics_end(struct metrics *m)
{
	int bad = ferror(m->f);

	bad |= fclose(m->f);
	m->f = NULL;
	return bad ? -ENOMEM : 0;
}

void metrics_free(struct metrics *m)
{
	if (m->f)
		fclose(m->f);
	free(m->text);
	*m = (struct metrics){ 0 };
}

static int write_all(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t did = write(fd, p, n);

		if (did < 0 && errno == EINTR)
			continue;
		if (did <= 0)
			return did < 0 ? -errno : -EIO;
		p += did;
		n -= (size_t)did;
	}
	return 0;
}

/* The collector is another user, so all may read what all may read in /proc/interrupts. */
static int fill(int fd, const struct metrics *m)
{
	int rc = write_all(fd, m->text, m->size);

	if (!rc && fchmod(fd, 0644))
		rc = -errno;
	if (close(fd) && !rc)
		rc = -errno;
	return rc;
}

int metrics_write(const struct metrics *m, const char *path, struct error *e)
{
	const char *slash = strrchr(path, '/');
	int folder = slash ? (int)(slash - path) + 1 : 0, n, fd, rc;
	char temp[PATH_MAX];
	struct stat st;

	if (!lstat(path, &st) && !S_ISREG(st.st_mode))
		return fail(e, CAUSE_FAILED, 0,
			    "%s is no regular file, and would be replaced by one", path);
	/* the collector takes *.prom: this name is none of that form */
	n = snprintf(temp, sizeof(temp), "%.*s.%s.XXXXXX", folder, path, path + folder);
	if (n < 0 || (size_t)n >= sizeof(temp))
		return fail(e, CAUSE_FAILED, ENAMETOOLONG, "%s can't be written", path);
	fd = mkostemp(temp, O_CLOEXEC);
	if (fd < 0)
		return fail(e, cause_of_errno(errno), errno, "no file can be made beside %s", path);
	rc = fill(fd, m);
	if (!rc && rename(temp, path))
		rc = -errno;
	if (!rc)
		return 0;
	unlink(temp);
	return fail(e, cause_of_errno(-rc), -rc, "%s can't be written", path);
}

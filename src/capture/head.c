// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/internal.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"
#include "root/capture.h"

static void put_kernel(FILE *to, const struct root *r, const char *path)
{
	char word[256], shown[1024];

	if (root_text(r, word, sizeof(word), "%s", path) > 0)
		fprintf(to, " %s", escape_text(word, shown, sizeof(shown)));
}

void capture_put_head(FILE *to, const struct root *r, const struct capture_options *opt)
{
	time_t now = time(NULL);
	char day[32] = "", bdf[PCI_ADDR_LEN];
	struct tm tm;

	if (gmtime_r(&now, &tm))
		strftime(day, sizeof(day), "%Y-%m-%d", &tm);
	fprintf(to, CAPTURE_MAGIC
		"\n# What msictl reads of /sys and /proc: msictl --root FILE list reads this file instead.\n");
	fprintf(to,
		"# The format is in msictl-capture(5); it may be read, compared, and changed by hand.\n");
	fprintf(to, "# Written by msictl %s on %s\n# Kernel", opt->version, day);
	put_kernel(to, r, "proc/sys/kernel/osrelease");
	put_kernel(to, r, "proc/sys/kernel/arch");
	fputc('\n', to);
	if (opt->device)
		fprintf(to, "# Of %s, its bridges and IOMMU group alone.\n",
			pci_addr_full(opt->device, bdf));
	if (r->live && geteuid())
		fputs("# Not read as root: configuration spaces end at byte 64, and what only root may read is "
		      "missing.\n",
		      to);
	fputs("# Left out: processes, users, host names, network addresses, DMI serial numbers, and the words of the\n"
	      "# kernel's command line that are not about PCI, interrupts, CPUs, IOMMUs or virtualization.\n"
	      "# Zeros: addresses of kernel modules.\n",
	      to);
	fprintf(to,
		"# Device Serial Numbers and serial numbers of CPUs: %s. Vital product data: %s.\n",
		opt->serials ? "kept, as was asked" : "zeros or left out",
		opt->vpd ? "kept, as was asked" : "left out");
	fputs("# Names of drivers, modules and interrupt actions, such as eth0-rx-0, are in it.\n",
	      to);
}

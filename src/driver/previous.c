// SPDX-License-Identifier: GPL-2.0-or-later
#include "driver/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"

/* Nobody else may have made or changed it: what is read here decides a write to sysfs. */
static int check_owner(int fd, mode_t type)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if ((st.st_mode & S_IFMT) != type || st.st_uid != geteuid() ||
	    (st.st_mode & (S_IWGRP | S_IWOTH)))
		return -EPERM;
	return 0;
}

static int enter(int at, const char *name, mode_t mode, bool create)
{
	_cleanup_fd_ int fd = -1;
	int rc;

	if (create && mkdirat(at, name, mode) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	rc = check_owner(fd, S_IFDIR);
	return rc ? rc : take_fd(&fd);
}

static int open_folder(const struct root *r, bool create)
{
	_cleanup_fd_ int run = root_openf(r, O_PATH | O_DIRECTORY, "run"), ours = -1;

	if (run < 0)
		return run;
	ours = enter(run, "msictl", 0755, create);
	return ours < 0 ? ours : enter(ours, "former", 0700, create);
}

/* A driver's name is a folder's name in /sys/bus/pci/drivers. */
static bool is_driver_name(const char *name)
{
	if (!strcmp(name, ".") || !strcmp(name, ".."))
		return false;
	for (const char *p = name; *p; p++)
		if (*p <= ' ' || *p >= 0x7f || *p == '/')
			return false;
	return true;
}

static int write_name(int folder, const char *file, const char *driver)
{
	_cleanup_fd_ int fd =
		openat(folder, file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	char text[ROOT_NAME + 1];
	ssize_t did;
	int n;

	if (fd < 0)
		return -errno;
	n = snprintf(text, sizeof(text), "%s\n", driver);
	if ((size_t)n >= sizeof(text))
		return -ENAMETOOLONG;
	did = write(fd, text, (size_t)n);
	if (did < 0)
		return -errno;
	/* write(2): a part is what there was room for */
	return did == n ? 0 : -ENOSPC;
}

int previous_save(const struct root *r, const struct pci_addr *a, const char *driver)
{
	_cleanup_fd_ int folder = -1;
	char bdf[PCI_ADDR_LEN], draft[PCI_ADDR_LEN + 8];
	int rc;

	if (!is_driver_name(driver))
		return -EINVAL;
	folder = open_folder(r, true);
	if (folder < 0)
		return folder;
	pci_addr_full(a, bdf);
	snprintf(draft, sizeof(draft), "%s.new", bdf);
	unlinkat(folder, draft, 0); /* of a run that was killed */
	rc = write_name(folder, draft, driver);
	if (rc == 0 && renameat(folder, draft, folder, bdf) < 0)
		rc = -errno;
	if (rc)
		unlinkat(folder, draft, 0);
	return rc;
}

int previous_load(const struct root *r, const struct pci_addr *a, char *driver, size_t size)
{
	_cleanup_fd_ int folder = open_folder(r, false), fd = -1;
	char bdf[PCI_ADDR_LEN], text[ROOT_NAME + 1], *end;
	ssize_t n;
	int rc;

	if (folder < 0)
		return folder;
	fd = openat(folder, pci_addr_full(a, bdf), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	rc = check_owner(fd, S_IFREG);
	if (rc)
		return rc;
	n = read(fd, text, sizeof(text));
	if (n < 0)
		return -errno;
	/* written as one line, so that a torn file is no name */
	end = memchr(text, '\n', (size_t)n);
	if (!end || end + 1 != text + n || (size_t)n > size || memchr(text, '\0', (size_t)n))
		return -EINVAL;
	*end = '\0';
	if (!is_driver_name(text))
		return -EINVAL;
	copy_text(driver, size, text);
	return 0;
}

void previous_forget(const struct root *r, const struct pci_addr *a)
{
	_cleanup_fd_ int folder = open_folder(r, false);
	char bdf[PCI_ADDR_LEN];

	if (folder >= 0)
		unlinkat(folder, pci_addr_full(a, bdf), 0);
}

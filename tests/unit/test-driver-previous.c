// SPDX-License-Identifier: GPL-2.0-or-later
/* The driver that a function had, in /run/msictl/former: what comes in the way of keeping and of reading it. */
#include <errno.h>
#include <sys/syscall.h>

#include "driver-bench.h"

#define FOLDER "run/msictl/former"

/* What read(2) says of a file that is its owner's alone, as a broken disk does; 0: what is in it. */
static int reading_errno;

ssize_t read(int fd, void *buf, size_t size)
{
	struct stat st;

	if (reading_errno && !fstat(fd, &st) && st.st_mode == (S_IFREG | 0600)) {
		errno = reading_errno;
		return -1;
	}
	return syscall(SYS_read, fd, buf, size);
}

static int load(const struct bench *b)
{
	char name[ROOT_NAME];

	return previous_load(&b->t.root, &nvme, name, sizeof(name));
}

static int save(const struct bench *b, const char *driver)
{
	return previous_save(&b->t.root, &nvme, driver);
}

/* Who looks, or forgets what is not remembered, leaves nothing behind. */
static void looking_makes_no_folder(void **state)
{
	struct bench *b = *state;

	assert_int_equal(load(b), -ENOENT);
	previous_forget(&b->t.root, &nvme);
	assert_false(root_exists(&b->t.root, "run/msictl"));
	assert_int_equal(save(b, "nvme"), 0);
	previous_forget(&b->t.root, &nvme);
	assert_false(root_exists(&b->t.root, FORMER));
	assert_true(root_exists(&b->t.root, FOLDER));
}

/* A machine without /run has no place to remember anything. */
static void no_run(void **state)
{
	struct bench *b = *state;
	char path[PATH_MAX];

	assert_int_equal(rmdir(tree_path(&b->t, "run", path)), 0);
	assert_int_equal(load(b), -ENOENT);
	assert_int_equal(save(b, "nvme"), -ENOENT);
	previous_forget(&b->t.root, &nvme);
	assert_false(root_exists(&b->t.root, "run"));
	tree_text(&b->t, "run", "");
	assert_int_equal(load(b), -ENOTDIR);
	assert_int_equal(save(b, "nvme"), -ENOTDIR);
}

/* A file or a link where one of the folders should be is not taken for it. */
static void no_folder(void **state)
{
	static const char *const folders[] = { "run/msictl", FOLDER };
	struct bench *b = *state;
	char path[PATH_MAX];

	assert_int_equal(mkdir(tree_path(&b->t, "elsewhere", path), 0700), 0);
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		tree_text(&b->t, folders[i], "");
		assert_int_equal(load(b), -ENOTDIR);
		assert_int_equal(save(b, "nvme"), -ENOTDIR);
		unlink(tree_path(&b->t, folders[i], path));
		tree_link(&b->t, folders[i], i ? "../../elsewhere" : "../elsewhere");
		assert_int_equal(load(b), -ENOTDIR);
		assert_int_equal(save(b, "nvme"), -ENOTDIR);
		unlink(path);
	}
	assert_int_equal(rmdir(tree_path(&b->t, "elsewhere", path)), 0);
}

/* What was known stays until what is new is complete; a draft that cannot be put in place goes. */
static void something_in_the_way(void **state)
{
	struct bench *b = *state;
	char path[PATH_MAX];

	assert_int_equal(save(b, "nvme"), 0);
	tree_folder(&b->t, FORMER ".new/");
	assert_int_equal(save(b, "ahci"), -EEXIST);
	assert_file(b, FORMER, "nvme\n");
	rmdir(tree_path(&b->t, FORMER ".new", path));
	tree_text(&b->t, FORMER ".new", "of a run that was killed");
	assert_int_equal(save(b, "ahci"), 0);
	assert_file(b, FORMER, "ahci\n");
	assert_false(root_exists(&b->t.root, FORMER ".new"));

	unlink(tree_path(&b->t, FORMER, path));
	tree_folder(&b->t, FORMER "/");
	assert_int_equal(save(b, "nvme"), -EISDIR);
	assert_false(root_exists(&b->t.root, FORMER ".new"));
	assert_int_equal(load(b), -EPERM);
	rmdir(path);
	/* nobody writes to this one: it is not waited for */
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(load(b), -EPERM);
}

/* A name has as many bytes as a file name may have. */
static void longest_name(void **state)
{
	struct bench *b = *state;
	char longest[ROOT_NAME + 1], name[ROOT_NAME];

	memset(longest, 'n', sizeof(longest));
	longest[NAME_MAX] = '\0';
	assert_int_equal(save(b, longest), 0);
	assert_int_equal(previous_load(&b->t.root, &nvme, name, sizeof(name)), 0);
	assert_string_equal(name, longest);
	assert_int_equal(previous_load(&b->t.root, &nvme, name, sizeof(name) - 1), -EINVAL);
	longest[NAME_MAX] = 'n';
	longest[ROOT_NAME] = '\0';
	assert_int_equal(save(b, longest), -ENAMETOOLONG);
	assert_false(root_exists(&b->t.root, FORMER ".new"));
	assert_int_equal(load(b), 0);
	/* to the last byte of the room that a caller has */
	assert_int_equal(save(b, "nvme"), 0);
	assert_int_equal(previous_load(&b->t.root, &nvme, name, sizeof("nvme")), 0);
	assert_string_equal(name, "nvme");
	assert_int_equal(previous_load(&b->t.root, &nvme, name, sizeof("nvme") - 1), -EINVAL);
}

/* A line, and nothing before or behind its end: what else is there was not written by this program. */
static void one_line(void **state)
{
	static const struct {
		const char *bytes;
		size_t size;
	} bad[] = {
		{ "nvme\0", 5 }, { "nv\0me\n", 6 }, { "\0\n", 2 },     { "nvme\n\n", 6 },
		{ "\nnvme", 5 }, { "nvme\nn", 6 },  { "nvme\n\0", 6 },
	};
	struct bench *b = *state;
	char text[ROOT_NAME + 16];

	assert_int_equal(save(b, "nvme"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		tree_bytes(&b->t, FORMER, bad[i].bytes, bad[i].size);
		assert_int_equal(load(b), -EINVAL);
	}
	/* nor is what a reader has room for the whole of a longer file */
	memset(text, 'n', sizeof(text));
	for (size_t end = NAME_MAX - 1; end < ROOT_NAME + 2; end++) {
		text[end] = '\n';
		tree_bytes(&b->t, FORMER, text, sizeof(text));
		assert_int_equal(load(b), -EINVAL);
		text[end] = 'n';
	}
}

/* What cannot be read is neither remembered nor forgotten: unbind changes nothing, and says why. */
static void cannot_be_read(void **state)
{
	struct bench *b = *state;

	is_driven_by(b, "vfio-pci");
	assert_int_equal(save(b, "nvme"), 0);
	reading_errno = EIO;
	assert_int_equal(load(b), -EIO);
	assert_int_equal(unbind_it(b), -EIO);
	reading_errno = 0;
	assert_int_equal(b->e.cause, CAUSE_FAILED);
	assert_string_equal(b->e.message,
			    "the driver that it had cannot be read from /run/msictl/former");
	assert_file(b, HOME "/driver_override", "(null)\n");
	assert_int_equal(load(b), 0);
}

/* A user who may enter /run, and not list it, gets at what is the user's own. */
static void run_is_entered(void **state)
{
	static const char *const own[] = { "run/msictl", FOLDER, FORMER };
	struct bench *b = *state;
	char path[PATH_MAX];
	int rc;

	if (geteuid())
		skip();
	assert_int_equal(save(b, "nvme"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		assert_int_equal(chown(tree_path(&b->t, own[i], path), 65534, 65534), 0);
	assert_int_equal(chmod(b->t.dir, 0711), 0);
	assert_int_equal(chmod(tree_path(&b->t, "run", path), 0711), 0);
	/* root believes what is root's alone */
	assert_int_equal(load(b), -EPERM);
	assert_int_equal(seteuid(65534), 0);
	rc = load(b);
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(rc, 0);
}

/* Each folder and the file: whoever else may write to one decides what unbind does. */
static void others_may_write(void **state)
{
	static const struct {
		const char *path;
		mode_t mode;
	} shared[] = {
		{ "run/msictl", 0775 }, { "run/msictl", 0757 }, { FOLDER, 0720 },
		{ FOLDER, 0702 },	{ FORMER, 0620 },	{ FORMER, 0602 },
	};
	struct bench *b = *state;
	char path[PATH_MAX];
	struct stat st;

	assert_int_equal(save(b, "nvme"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(shared); i++) {
		assert_int_equal(stat(tree_path(&b->t, shared[i].path, path), &st), 0);
		assert_int_equal(chmod(path, shared[i].mode), 0);
		assert_int_equal(load(b), -EPERM);
		assert_int_equal(chmod(path, st.st_mode & 0777), 0);
		assert_int_equal(load(b), 0);
	}
}

#define AT(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		AT(looking_makes_no_folder), AT(no_run),	 AT(no_folder),
		AT(something_in_the_way),    AT(longest_name),	 AT(one_line),
		AT(cannot_be_read),	     AT(run_is_entered), AT(others_may_write),
	};

	return cmocka_run_group_tests_name("driver-previous", tests, NULL, NULL);
}

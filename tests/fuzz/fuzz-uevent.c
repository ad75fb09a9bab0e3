// SPDX-License-Identifier: GPL-2.0-or-later
/* What comes by the socket of the kernel's events -> struct uevent. */
#include <stdlib.h>
#include <string.h>

#include "host/uevent.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the rest of the program relies on; a wrong one is a crash. */
static void expect(int truth)
{
	if (!truth)
		abort();
}

/* Borrowed, and ends there too. */
static void within(const char *text, const char *msg, size_t size)
{
	expect(text > msg && text + strlen(text) < msg + size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *msg = (const char *)data;
	struct uevent u;

	if (uevent_parse(msg, size, &u))
		return 0;
	within(u.action, msg, size);
	within(u.subsystem, msg, size);
	within(u.devpath, msg, size);
	if (u.driver)
		within(u.driver, msg, size);
	expect(u.action[0] && u.devpath[0] == '/' && (!u.driver || u.driver[0]));
	expect(u.group >= -1 && (u.group < 0 || !u.has_addr));
	if (u.group >= 0 || u.has_addr)
		expect(uevent_of_interest(&u));
	return 0;
}

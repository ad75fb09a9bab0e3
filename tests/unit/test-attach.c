// SPDX-License-Identifier: GPL-2.0-or-later
/* What a client asks a holder that does not read. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hold/client.h"
#include "base/util.h"

/* Behind base/error.h: it makes a macro of fail(). */
#include <cmocka.h>

/* More than the socket takes: the rest waits for the holder. */
static void test_unread(void **state)
{
	char word[60000];
	const char *words[] = { word };
	struct question q;
	struct error e = { 0 };
	int pair[2];

	(void)state;
	memset(word, 'x', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &(int){ 4608 }, sizeof(int)),
			 0);
	/* who waited for ever ends by this */
	alarm(30);
	assert_int_equal(attach_put(&q, pair[0], words, ARRAY_SIZE(words), &e), -ETIMEDOUT);
	alarm(0);
	assert_int_equal(e.cause, CAUSE_BUSY);
	assert_non_null(strstr(e.message, "does not answer"));
	assert_int_equal(q.sock, -1);
	close(pair[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

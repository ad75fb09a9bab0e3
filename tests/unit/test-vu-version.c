// SPDX-License-Identifier: GPL-2.0-or-later
/* VERSION's payload as peers send it, and as nobody should. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "vfio-user/wire.h"

/* Behind base/error.h: it makes a macro of fail(). */
#include <errno.h>
#include <cmocka.h>

static int parse(const char *json, size_t size, struct vu_version *v)
{
	uint8_t payload[32768] = { 0, 0, 2, 0 };

	assert_true(4 + size <= sizeof(payload));
	memcpy(payload + 4, json, size);
	return vu_version_parse(payload, 4 + size, v);
}

static void test_peers(void **state)
{
	static const struct {
		const char *json;
		unsigned int fds;
		uint64_t xfer;
		bool grant;
	} cases[] = {
		/* libvfio-user */
		{ "{\"capabilities\":{\"max_msg_fds\":8,\"max_data_xfer_size\":1048576,\"migration\":{\"pgsize\":4096}}"
		  "}",
		  8, 1048576, false },
		/* QEMU */
		{ "{\"capabilities\": {\"pgsizes\": 4096, \"max_msg_fds\": 16, \"max_dma_maps\": 65535, "
		  "\"max_data_xfer_size\": 1048576, \"migration\": {\"pgsize\": 4096, \"max_bitmap_size\": 256}, "
		  "\"write_multiple\": true}}",
		  16, 1048576, false },
		/* rust-vmm */
		{ "{\"capabilities\":{\"max_msg_fds\":1,\"max_data_xfer_size\":65536,\"migration\":{\"pgsize\":4096}}}",
		  1, 65536, false },
		{ "{\"capabilities\":{\"msictl_grant\":true}}", 1, VU_DEFAULT_XFER, true },
		{ "{\"capabilities\":{\"msictl_grant\":false}}", 1, VU_DEFAULT_XFER, false },
		{ "{\"capabilities\":{\"unknown\":[1,2,{}],\"twin_socket\":{\"supported\":true}}}",
		  1, VU_DEFAULT_XFER, false },
		{ "{}", 1, VU_DEFAULT_XFER, false },
		{ "{\"capabilities\":{}}", 1, VU_DEFAULT_XFER, false },
		{ "{\"max_msg_fds\":9}", 1, VU_DEFAULT_XFER, false },
		/* 0 would be a loop without end for who divides by it */
		{ "{\"capabilities\":{\"max_msg_fds\":0,\"max_data_xfer_size\":0}}", 1, 1, false },
		{ "{\"capabilities\":{\"max_msg_fds\":4294967295,\"max_data_xfer_size\":18446744073709551615}}",
		  UINT32_MAX, UINT64_MAX, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct vu_version v;

		assert_int_equal(parse(cases[i].json, strlen(cases[i].json) + 1, &v), 0);
		assert_int_equal(v.major, 0);
		assert_int_equal(v.minor, 2);
		assert_true(v.has_json);
		assert_int_equal(v.max_msg_fds, cases[i].fds);
		assert_int_equal(v.max_data_xfer, cases[i].xfer);
		assert_int_equal(v.grant, cases[i].grant);
	}
}

static void test_no_json(void **state)
{
	struct vu_version v;

	(void)state;
	assert_int_equal(parse("", 0, &v), 0);
	assert_false(v.has_json);
	assert_int_equal(v.max_msg_fds, 1);
	assert_int_equal(v.max_data_xfer, VU_DEFAULT_XFER);
	for (size_t n = 0; n < 4; n++)
		assert_int_equal(vu_version_parse((const uint8_t *)"\0\0\0\0", n, &v), -EPROTO);
	assert_int_equal(vu_version_parse(NULL, 0, &v), -EPROTO);
}

static void test_nonsense(void **state)
{
	static const char *const cases[] = {
		"",
		" ",
		"null",
		"1",
		"[]",
		"\"text\"",
		"{",
		"{} {}",
		"{}x",
		"{\"capabilities\":'x'}",
		"{\"capabilities\":{\"max_msg_fds\":8,}}",
		"{\"capabilities\":{},}",
		"{\"capabilities\":null}",
		"{\"capabilities\":[]}",
		"{\"capabilities\":8}",
		"{\"capabilities\":{\"max_msg_fds\":-1}}",
		"{\"capabilities\":{\"max_msg_fds\":\"8\"}}",
		"{\"capabilities\":{\"max_msg_fds\":8.5}}",
		"{\"capabilities\":{\"max_msg_fds\":null}}",
		"{\"capabilities\":{\"max_msg_fds\":4294967296}}",
		"{\"capabilities\":{\"max_msg_fds\":true}}",
		"{\"capabilities\":{\"max_data_xfer_size\":-5}}",
		"{\"capabilities\":{\"max_data_xfer_size\":{}}}",
		"{\"capabilities\":{\"msictl_grant\":1}}",
		"{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":1}}}}}}}}}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct vu_version v;

		if (parse(cases[i], strlen(cases[i]) + 1, &v) != -EPROTO)
			fail_msg("taken: %s", cases[i]);
	}
}

/* Text without its NUL, and text that is cut anywhere. */
static void test_cut(void **state)
{
	static const char json[] = "{\"capabilities\":{\"max_msg_fds\":16,\"msictl_grant\":true}}";
	struct vu_version v;

	(void)state;
	assert_int_equal(parse(json, sizeof(json) - 1, &v), -EPROTO);
	for (size_t n = 1; n < sizeof(json) - 1; n++) {
		char cut[sizeof(json)] = "";

		memcpy(cut, json, n);
		assert_int_equal(parse(cut, n, &v), -EPROTO);
		assert_int_equal(parse(cut, n + 1, &v), -EPROTO);
	}
	assert_int_equal(parse(json, sizeof(json), &v), 0);
	/* what lies behind the NUL is not looked at */
	assert_int_equal(parse("{}\0}}}}", 7, &v), 0);
}

static void test_long(void **state)
{
	static char text[20000];
	struct vu_version v;
	size_t n;

	(void)state;
	memset(text, ' ', sizeof(text));
	memcpy(text, "{}", 2);
	for (n = 10; n <= 16384; n = n < 16380 ? 16380 : n + 1) {
		text[n - 1] = '\0';
		assert_int_equal(parse(text, n, &v), 0);
		text[n - 1] = ' ';
	}
	text[n - 1] = '\0';
	assert_int_equal(parse(text, n, &v), -EPROTO);
}

/* What we say is understood by ourselves, and not longer than the shortest request known (rust-vmm's). */
static void test_format(void **state)
{
	static const char rust[] =
		"{\"capabilities\":{\"max_msg_fds\":1,\"max_data_xfer_size\":1048576,\"migration\":{\"pgsize\":4096}}}";
	struct vu_version v = { .minor = 1, .max_msg_fds = 16, .max_data_xfer = VU_DEFAULT_XFER },
			  got;
	uint8_t buf[256];
	size_t n = vu_version_format(&v, buf, sizeof(buf));

	(void)state;
	assert_true(n <= 4 + sizeof(rust));
	assert_int_equal(buf[n - 1], 0);
	assert_int_equal(strlen((char *)buf + 4), n - 5);
	assert_null(strstr((char *)buf + 4, "msictl"));
	assert_int_equal(vu_version_parse(buf, n, &got), 0);
	assert_int_equal(got.minor, 1);
	assert_int_equal(got.max_msg_fds, 16);
	assert_false(got.grant);

	v = (struct vu_version){ .major = 65535,
				 .minor = 65535,
				 .max_msg_fds = UINT32_MAX,
				 .max_data_xfer = UINT64_MAX,
				 .grant = true };
	n = vu_version_format(&v, buf, sizeof(buf));
	assert_in_range(n, 5, sizeof(buf));
	assert_int_equal(vu_version_parse(buf, n, &got), 0);
	assert_int_equal(got.major, 65535);
	assert_int_equal(got.max_data_xfer, UINT64_MAX);
	assert_true(got.grant);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_peers),	 cmocka_unit_test(test_no_json),
		cmocka_unit_test(test_nonsense), cmocka_unit_test(test_cut),
		cmocka_unit_test(test_long),	 cmocka_unit_test(test_format),
	};

	return cmocka_run_group_tests_name("vu-version", tests, NULL, NULL);
}

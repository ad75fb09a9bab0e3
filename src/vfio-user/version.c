// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The payload of VERSION: two numbers and capabilities in JSON (specification,
 * "VFIO_USER_VERSION").
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "base/util.h"
#include "vfio-user/wire.h"

#define NUMBERS 4u

/* Peers send about 200 bytes; a tree of a megabyte of text would take many of them. */
#define MAX_JSON  16384u
#define MAX_DEPTH 8

/* A number from 1 to @max at @key, when there is one; 0 stands for 1. */
static int take_capability(json_object *caps, const char *key, uint64_t max, uint64_t *n)
{
	json_object *v;

	if (!json_object_object_get_ex(caps, key, &v))
		return 0;
	if (!json_object_is_type(v, json_type_int) || json_object_get_int64(v) < 0)
		return -EPROTO;
	*n = json_object_get_uint64(v);
	if (*n > max)
		return -EPROTO;
	if (*n == 0)
		*n = 1;
	return 0;
}

static int take_capabilities(json_object *caps, struct vu_version *v)
{
	uint64_t fds = v->max_msg_fds;
	json_object *grant;

	if (!json_object_is_type(caps, json_type_object) ||
	    take_capability(caps, "max_msg_fds", UINT32_MAX, &fds) ||
	    take_capability(caps, "max_data_xfer_size", UINT64_MAX, &v->max_data_xfer))
		return -EPROTO;
	v->max_msg_fds = (unsigned int)fds;
	if (!json_object_object_get_ex(caps, "msictl_grant", &grant))
		return 0;
	if (!json_object_is_type(grant, json_type_boolean))
		return -EPROTO;
	v->grant = json_object_get_boolean(grant);
	return 0;
}

/* @text of @len bytes is one JSON object and nothing else; NULL when not. */
static json_object *parse_json(const char *text, size_t len)
{
	json_tokener *tok = json_tokener_new_ex(MAX_DEPTH);
	json_object *root;

	if (!tok)
		return NULL;
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT);
	root = json_tokener_parse_ex(tok, text, (int)len);
	if (json_tokener_get_error(tok) != json_tokener_success ||
	    json_tokener_get_parse_end(tok) != len ||
	    !json_object_is_type(root, json_type_object)) {
		json_object_put(root);
		root = NULL;
	}
	json_tokener_free(tok);
	return root;
}

int vu_version_parse(const uint8_t *payload, size_t size, struct vu_version *v)
{
	json_object *root, *caps;
	const uint8_t *end;
	int rc = 0;

	*v = (struct vu_version){ .max_msg_fds = 1, .max_data_xfer = VU_DEFAULT_XFER };
	if (size < NUMBERS || size > NUMBERS + MAX_JSON)
		return -EPROTO;
	memcpy(&v->major, payload, sizeof(v->major));
	memcpy(&v->minor, payload + sizeof(v->major), sizeof(v->minor));
	if (size == NUMBERS)
		return 0;
	end = memchr(payload + NUMBERS, '\0', size - NUMBERS);
	if (!end)
		return -EPROTO;
	root = parse_json((const char *)payload + NUMBERS, (size_t)(end - payload) - NUMBERS);
	if (!root)
		return -EPROTO;
	v->has_json = true;
	if (json_object_object_get_ex(root, "capabilities", &caps))
		rc = take_capabilities(caps, v);
	json_object_put(root);
	return rc;
}

/*
 * No more than is needed: QEMU refuses a reply that is larger than its own
 * request, and warns of capabilities that it does not know.
 */
size_t vu_version_format(const struct vu_version *v, uint8_t *buf, size_t size)
{
	int n;

	memcpy(buf, &v->major, sizeof(v->major));
	memcpy(buf + sizeof(v->major), &v->minor, sizeof(v->minor));
	n = snprintf((char *)buf + NUMBERS, size - NUMBERS,
		     "{\"capabilities\":{\"max_msg_fds\":%u,\"max_data_xfer_size\":%" PRIu64 "%s}}",
		     v->max_msg_fds, v->max_data_xfer, v->grant ? ",\"msictl_grant\":true" : "");
	return NUMBERS + (size_t)n + 1;
}

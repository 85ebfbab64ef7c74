/* The generic system call, at once or on a thread of the pool. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arguments.h"
#include "background.h"
#include "calls.h"

#define MAX_ARGUMENTS 6
#define MAX_SAFE_INTEGER 9007199254740991.0

struct call {
	struct background background; /* first: the async form is freed through it */
	long nr;
	long arguments[MAX_ARGUMENTS];
	/* Copies of string arguments, owned. */
	char *strings[MAX_ARGUMENTS];
	/* Uint8Arrays which must live as long as an async call. */
	napi_ref arrays[MAX_ARGUMENTS];
};

static long perform(const struct call *call)
{
	const long *a = call->arguments;
	long result = syscall(call->nr, a[0], a[1], a[2], a[3], a[4], a[5]);

	return result < 0 ? -errno : result;
}

static void release_strings(struct call *call)
{
	size_t index;

	for (index = 0; index < MAX_ARGUMENTS; index++)
		free(call->strings[index]);
}

static bool read_bigint(napi_env env, napi_value value, long *out)
{
	int64_t negative;
	uint64_t positive;
	bool lossless = false;

	if (napi_get_value_bigint_int64(env, value, &negative, &lossless) == napi_ok && lossless) {
		*out = negative;
		return true;
	}
	if (napi_get_value_bigint_uint64(env, value, &positive, &lossless) == napi_ok && lossless) {
		*out = (long)positive;
		return true;
	}
	return throw_type(env, "syscall argument: bigint does not fit into 64 bits");
}

static bool read_number(napi_env env, napi_value value, long *out)
{
	double number;

	if (napi_get_value_double(env, value, &number) != napi_ok || trunc(number) != number ||
	    fabs(number) > MAX_SAFE_INTEGER)
		return throw_type(env, "syscall argument: number is not a safe integer");
	*out = (long)number;
	return true;
}

/* Reads argument `index`; `keep` makes a Uint8Array live until release_call. */
static bool read_argument(napi_env env, napi_value value, struct call *call, size_t index, bool keep)
{
	napi_valuetype type;
	void *data;
	size_t length;

	if (napi_typeof(env, value, &type) != napi_ok)
		return throw_type(env, "syscall argument: unreadable");
	switch (type) {
	case napi_number:
		return read_number(env, value, &call->arguments[index]);
	case napi_bigint:
		return read_bigint(env, value, &call->arguments[index]);
	case napi_null:
		return true;
	case napi_string:
		if (!read_string(env, value, "syscall argument", &call->strings[index]))
			return false;
		call->arguments[index] = (long)call->strings[index];
		return true;
	case napi_object:
		if (!read_bytes(env, value, "syscall argument", &data, &length))
			return false;
		call->arguments[index] = (long)data;
		if (keep && napi_create_reference(env, value, 1, &call->arrays[index]) != napi_ok)
			return throw_type(env, "syscall argument: cannot keep the array");
		return true;
	default:
		return throw_type(env,
				  "syscall argument must be a number, bigint, string, Uint8Array or null");
	}
}

/* Reads `(nr, ...args)`; whatever was acquired is in `call`, also on failure. */
static bool read_call(napi_env env, napi_callback_info info, struct call *call, bool keep)
{
	napi_value values[MAX_ARGUMENTS + 1];
	size_t count = MAX_ARGUMENTS + 1, index;

	if (napi_get_cb_info(env, info, &count, values, NULL, NULL) != napi_ok || count < 1)
		return throw_type(env, "syscall needs a number");
	if (count > MAX_ARGUMENTS + 1)
		return throw_type(env, "syscall takes at most six arguments");
	if (!read_number(env, values[0], &call->nr))
		return false;
	for (index = 1; index < count; index++)
		if (!read_argument(env, values[index], call, index - 1, keep))
			return false;
	return true;
}

napi_value call_syscall(napi_env env, napi_callback_info info)
{
	struct call call = { 0 };
	napi_value result = NULL;

	if (read_call(env, info, &call, false))
		result = number(env, perform(&call));
	release_strings(&call);
	return result;
}

static void run_call(struct background *work)
{
	work->result = perform((struct call *)work);
}

static void release_call(napi_env env, struct background *work)
{
	struct call *call = (struct call *)work;
	size_t index;

	for (index = 0; index < MAX_ARGUMENTS; index++)
		if (call->arrays[index])
			napi_delete_reference(env, call->arrays[index]);
	release_strings(call);
	free(call);
}

napi_value call_syscall_async(napi_env env, napi_callback_info info)
{
	struct call *call = calloc(1, sizeof(*call));

	if (!call) {
		napi_throw_error(env, NULL, "out of memory");
		return NULL;
	}
	call->background.run = run_call;
	call->background.release = release_call;
	if (!read_call(env, info, call, true)) {
		release_call(env, &call->background);
		return NULL;
	}
	return start_background(env, &call->background, "gantry:syscall");
}

napi_value call_address(napi_env env, napi_callback_info info)
{
	napi_value values[1], result = NULL;
	void *data;
	size_t length;

	if (!read_arguments(env, info, 1, values) || !read_bytes(env, values[0], "bytes", &data, &length))
		return NULL;
	napi_create_bigint_uint64(env, (uint64_t)(uintptr_t)data, &result);
	return result;
}

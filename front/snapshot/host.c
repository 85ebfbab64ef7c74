/* `gantryHost` of src/snapshot/host.ts: the addon's functions, the command line, and text. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "arguments.h"
#include "background.h"
#include "calls.h"
#include "napi.h"
#include "runtime/run.h"

static napi_value as_value(address value)
{
	return (napi_value)(uintptr_t)value;
}

static napi_value call_argument_count(napi_env env, napi_callback_info info)
{
	int count = 0;

	(void)info;
	while (interpreter.arguments[count])
		count++;
	return number(env, count);
}

static napi_value call_argument(napi_env env, napi_callback_info info)
{
	napi_value values[1];
	int index;

	if (!read_arguments(env, info, 1, values) || !read_int(env, values[0], "index", &index))
		return NULL;
	return as_value(new_string(interpreter.arguments[index]));
}

static napi_value call_environment(napi_env env, napi_callback_info info)
{
	napi_value values[1];
	int index;

	if (!read_arguments(env, info, 1, values) || !read_int(env, values[0], "index", &index))
		return NULL;
	return interpreter.environment[index] ? as_value(new_string(interpreter.environment[index])) : NULL;
}

static napi_value call_encode(napi_env env, napi_callback_info info)
{
	napi_value values[1];
	address text, copy;
	size_t length;

	if (!read_arguments(env, info, 1, values))
		return NULL;
	text = call(QTS_GetString, SNAPSHOT_CONTEXT, (address)(uintptr_t)values[0]);
	if (!text)
		return NULL;
	length = strlen(at(text));
	copy = call(malloc, (u32)length + 1);
	memcpy(at(copy), at(text), length + 1);
	call(QTS_FreeCString, SNAPSHOT_CONTEXT, text);
	return as_value(call(QTS_NewArrayBuffer, SNAPSHOT_CONTEXT, copy, (u32)length));
}

static napi_value call_encode_into(napi_env env, napi_callback_info info)
{
	napi_value values[4];
	int offset, room;
	size_t length, size;
	address text;
	char *bytes;

	if (!read_arguments(env, info, 4, values) || !read_bytes(env, values[1], "bytes", (void **)&bytes, &size) ||
	    !read_int(env, values[2], "offset", &offset) || !read_int(env, values[3], "length", &room))
		return NULL;
	if (offset < 0 || room < 0 || (size_t)offset + (size_t)room > size) {
		throw_type(env, "length is out of bounds");
		return NULL;
	}
	text = call(QTS_GetString, SNAPSHOT_CONTEXT, (address)(uintptr_t)values[0]);
	if (!text)
		return NULL;
	length = strlen(at(text));
	if (length > (size_t)room)
		length = (size_t)room;
	memcpy(bytes + offset, at(text), length);
	call(QTS_FreeCString, SNAPSHOT_CONTEXT, text);
	return number(env, (int64_t)length);
}

static napi_value call_decode(napi_env env, napi_callback_info info)
{
	napi_value values[1], result;
	size_t length;
	void *bytes;
	char *text;

	if (!read_arguments(env, info, 1, values) || !read_bytes(env, values[0], "bytes", &bytes, &length))
		return NULL;
	text = strndup(bytes, length);
	if (!text)
		abort();
	result = as_value(new_string(text));
	free(text);
	return result;
}

static napi_value call_monotonic(napi_env env, napi_callback_info info)
{
	struct timespec now;

	(void)env;
	(void)info;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return as_value(call(QTS_NewFloat64, SNAPSHOT_CONTEXT, (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6));
}

/* `delete --force`, as the front does it natively; false for a container that is not one of those. */
static napi_value call_delete_natively(napi_env env, napi_callback_info info)
{
	char *words[] = { "--root", NULL, "delete", "--force", NULL, NULL };
	napi_value values[2], result = NULL;

	if (!read_arguments(env, info, 2, values))
		return NULL;
	if (read_string(env, values[0], "root", &words[1]) && read_string(env, values[1], "id", &words[4]))
		result = number(env, run_runtime(words) == 0);
	free(words[1]);
	free(words[4]);
	return result;
}

/* The numbers are those of scripts/make-snapshot.ts. */
#define HOST(name) HOST_##name,
enum host_function { HOST_FUNCTIONS };

static const napi_callback functions[] = {
	[HOST_syscall] = call_syscall,
	[HOST_address] = call_address,
	[HOST_spawn] = call_spawn,
	[HOST_sendFds] = call_send_fds,
	[HOST_recvFds] = call_recv_fds,
	[HOST_argumentCount] = call_argument_count,
	[HOST_argument] = call_argument,
	[HOST_environment] = call_environment,
	[HOST_encode] = call_encode,
	[HOST_encodeInto] = call_encode_into,
	[HOST_decode] = call_decode,
	[HOST_monotonic] = call_monotonic,
	[HOST_deleteNatively] = call_delete_natively,
};

address call_host(address arguments, uint32_t count, uint32_t function)
{
	return call_function(functions[function], arguments, count);
}

/* There is no other thread: work of the background is done at once. */
napi_value start_background(napi_env env, struct background *work, const char *name)
{
	napi_value result;

	(void)name;
	work->run(work);
	result = number(env, work->result);
	work->release(env, work);
	return result;
}

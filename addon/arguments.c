#include "arguments.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool throw_type(napi_env env, const char *message)
{
	napi_throw_type_error(env, NULL, message);
	return false;
}

static bool wrong(napi_env env, const char *name, const char *wanted)
{
	char message[160];

	snprintf(message, sizeof(message), "%s must be %s", name, wanted);
	return throw_type(env, message);
}

bool read_int(napi_env env, napi_value value, const char *name, int *out)
{
	double number;

	if (napi_get_value_double(env, value, &number) != napi_ok || trunc(number) != number ||
	    number < INT_MIN || number > INT_MAX)
		return wrong(env, name, "an integer");
	*out = (int)number;
	return true;
}

bool read_string(napi_env env, napi_value value, const char *name, char **out)
{
	size_t length;
	char *copy;

	if (napi_get_value_string_utf8(env, value, NULL, 0, &length) != napi_ok)
		return wrong(env, name, "a string");
	copy = malloc(length + 1);
	if (!copy) {
		napi_throw_error(env, NULL, "out of memory");
		return false;
	}
	if (napi_get_value_string_utf8(env, value, copy, length + 1, &length) != napi_ok) {
		free(copy);
		return wrong(env, name, "a string");
	}
	/* The kernel would silently take the part before it. */
	if (memchr(copy, '\0', length)) {
		free(copy);
		return wrong(env, name, "a string without NUL");
	}
	*out = copy;
	return true;
}

bool read_bytes(napi_env env, napi_value value, const char *name, void **data, size_t *length)
{
	bool is_typed = false;
	napi_typedarray_type type;

	if (napi_is_typedarray(env, value, &is_typed) != napi_ok || !is_typed ||
	    napi_get_typedarray_info(env, value, &type, length, data, NULL, NULL) != napi_ok ||
	    type != napi_uint8_array)
		return wrong(env, name, "a Uint8Array");
	return true;
}

static bool array_length(napi_env env, napi_value value, const char *name, uint32_t *count)
{
	bool is_array = false;

	if (napi_is_array(env, value, &is_array) != napi_ok || !is_array ||
	    napi_get_array_length(env, value, count) != napi_ok)
		return wrong(env, name, "an array");
	return true;
}

bool read_strings(napi_env env, napi_value value, const char *name, char ***out)
{
	uint32_t count, index;
	char **strings;

	if (!array_length(env, value, name, &count))
		return false;
	strings = calloc((size_t)count + 1, sizeof(*strings));
	if (!strings) {
		napi_throw_error(env, NULL, "out of memory");
		return false;
	}
	for (index = 0; index < count; index++) {
		napi_value element;

		if (napi_get_element(env, value, index, &element) != napi_ok ||
		    !read_string(env, element, name, &strings[index])) {
			free_strings(strings);
			return false;
		}
	}
	*out = strings;
	return true;
}

void free_strings(char **strings)
{
	char **string;

	for (string = strings; string && *string; string++)
		free(*string);
	free(strings);
}

bool read_ints(napi_env env, napi_value value, const char *name, uint32_t max, int **out, uint32_t *count)
{
	uint32_t index;
	int *ints;

	if (!array_length(env, value, name, count))
		return false;
	if (*count > max)
		return wrong(env, name, "a shorter array");
	ints = calloc((size_t)*count + 1, sizeof(*ints));
	if (!ints) {
		napi_throw_error(env, NULL, "out of memory");
		return false;
	}
	for (index = 0; index < *count; index++) {
		napi_value element;

		if (napi_get_element(env, value, index, &element) != napi_ok ||
		    !read_int(env, element, name, &ints[index])) {
			free(ints);
			return false;
		}
	}
	*out = ints;
	return true;
}

napi_value number(napi_env env, int64_t value)
{
	napi_value result = NULL;

	napi_create_int64(env, value, &result);
	return result;
}

bool read_arguments(napi_env env, napi_callback_info info, size_t count, napi_value *values)
{
	size_t given = count;

	if (napi_get_cb_info(env, info, &given, values, NULL, NULL) != napi_ok || given < count)
		return throw_type(env, "too few arguments");
	return true;
}

/*
 * As much of Node-API as the addon needs (addon/), on the interpreter: so the system calls of the runtime's commands are the same
 * code under Bun and here. A napi_value is the address of a JSValue in the interpreter's memory.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <node_api.h>

#include "napi.h"

struct napi_env__ {
	address exception; /* that was thrown and not yet given to the interpreter */
	address *held;     /* values that end with the call */
	size_t held_count;
	size_t held_room;
};

struct napi_callback_info__ {
	address arguments; /* JSValue[] */
	uint32_t count;
};

/* A JSValue: a tag above 32 bits of a number, a truth value or an address; all but floating-point numbers. */
struct value {
	uint32_t low;
	int32_t tag;
};

static struct value load(napi_value value)
{
	struct value loaded;

	memcpy(&loaded, at((address)(uintptr_t)value), sizeof(loaded));
	return loaded;
}

static address address_of(napi_value value)
{
	return (address)(uintptr_t)value;
}

static bool is_float(struct value value)
{
	switch (value.tag) {
	case TAG_INT:
	case TAG_BOOL:
	case TAG_NULL:
	case TAG_UNDEFINED:
	case TAG_OBJECT:
	case TAG_STRING:
	case TAG_BIG_INT:
	case TAG_SHORT_BIG_INT: return false;
	default: return true;
	}
}

/* Keeps a new value until the end of the call. */
static napi_value hold(napi_env env, address value)
{
	if (env->held_count == env->held_room) {
		size_t room = env->held_room ? env->held_room * 2 : 64;
		address *held = realloc(env->held, room * sizeof(*held));

		if (!held)
			abort();
		env->held = held;
		env->held_room = room;
	}
	env->held[env->held_count++] = value;
	return (napi_value)(uintptr_t)value;
}

address call_function(napi_callback function, address arguments, uint32_t count)
{
	static struct napi_env__ env;
	struct napi_callback_info__ info = { arguments, count };
	address result = address_of(function(&env, &info));

	if (env.exception) {
		result = env.exception;
		env.exception = 0;
	}
	/* The result is the interpreter's. */
	while (env.held_count > 0) {
		address value = env.held[--env.held_count];

		if (value != result)
			call(QTS_FreeValuePointer, SNAPSHOT_CONTEXT, value);
	}
	return result;
}

napi_status napi_get_cb_info(napi_env env, napi_callback_info info, size_t *count, napi_value *values, napi_value *self,
			     void **data)
{
	(void)env;
	(void)self;
	(void)data;
	for (size_t i = 0; i < *count && i < info->count; i++)
		values[i] = (napi_value)(uintptr_t)(info->arguments + 8 * (address)i);
	*count = info->count;
	return napi_ok;
}

static napi_status throw_error(napi_env env, const char *name, const char *message)
{
	address error = call(QTS_NewError, SNAPSHOT_CONTEXT);

	if (name)
		set_property(error, "name", new_string(name));
	set_property(error, "message", new_string(message));
	env->exception = call(QTS_Throw, SNAPSHOT_CONTEXT, error);
	return napi_ok;
}

napi_status napi_throw_error(napi_env env, const char *code, const char *message)
{
	(void)code;
	return throw_error(env, NULL, message);
}

napi_status napi_throw_type_error(napi_env env, const char *code, const char *message)
{
	(void)code;
	return throw_error(env, "TypeError", message);
}

napi_status napi_typeof(napi_env env, napi_value value, napi_valuetype *type)
{
	struct value loaded = load(value);

	(void)env;
	switch (loaded.tag) {
	case TAG_UNDEFINED: *type = napi_undefined; break;
	case TAG_NULL: *type = napi_null; break;
	case TAG_BOOL: *type = napi_boolean; break;
	case TAG_STRING: *type = napi_string; break;
	case TAG_OBJECT: *type = napi_object; break;
	case TAG_BIG_INT:
	case TAG_SHORT_BIG_INT: *type = napi_bigint; break;
	default: *type = napi_number;
	}
	return napi_ok;
}

napi_status napi_get_value_double(napi_env env, napi_value value, double *number)
{
	struct value loaded = load(value);

	(void)env;
	if (loaded.tag == TAG_INT)
		*number = (int32_t)loaded.low;
	else if (is_float(loaded))
		*number = call(QTS_GetFloat64, SNAPSHOT_CONTEXT, address_of(value));
	else
		return napi_number_expected;
	return napi_ok;
}

/* In decimal: the interpreter has no other way out for large ones. */
static napi_status get_bigint(napi_value value, bool is_signed, uint64_t *number, bool *lossless)
{
	address text = call(QTS_GetString, SNAPSHOT_CONTEXT, address_of(value));
	char *end;

	errno = 0;
	*number = is_signed ? (uint64_t)strtoll(at(text), &end, 10) : strtoull(at(text), &end, 10);
	*lossless = errno == 0 && !*end && (is_signed || *(char *)at(text) != '-');
	call(QTS_FreeCString, SNAPSHOT_CONTEXT, text);
	return napi_ok;
}

napi_status napi_get_value_bigint_int64(napi_env env, napi_value value, int64_t *number, bool *lossless)
{
	(void)env;
	return get_bigint(value, true, (uint64_t *)number, lossless);
}

napi_status napi_get_value_bigint_uint64(napi_env env, napi_value value, uint64_t *number, bool *lossless)
{
	(void)env;
	return get_bigint(value, false, number, lossless);
}

/* Strings of the interpreter's library end at their first NUL: src/snapshot/environment checks for one before. */
napi_status napi_get_value_string_utf8(napi_env env, napi_value value, char *text, size_t room, size_t *length)
{
	address copy;

	(void)env;
	if (load(value).tag != TAG_STRING)
		return napi_string_expected;
	copy = call(QTS_GetString, SNAPSHOT_CONTEXT, address_of(value));
	if (!copy)
		return napi_generic_failure;
	*length = strlen(at(copy));
	if (text) {
		if (*length >= room)
			*length = room - 1;
		memcpy(text, at(copy), *length);
		text[*length] = '\0';
	}
	call(QTS_FreeCString, SNAPSHOT_CONTEXT, copy);
	return napi_ok;
}

/* Of Uint8Arrays only, and of classes derived from it: the addon takes no others. */
napi_status napi_is_typedarray(napi_env env, napi_value value, bool *result)
{
	struct value loaded = load(value);
	uint16_t class = 0;

	(void)env;
	if (loaded.tag == TAG_OBJECT)
		memcpy(&class, at(loaded.low + OBJECT_CLASS_AT), sizeof(class));
	*result = class == UINT8_ARRAY_CLASS;
	return napi_ok;
}

napi_status napi_get_typedarray_info(napi_env env, napi_value value, napi_typedarray_type *type, size_t *length, void **data,
				     napi_value *buffer, size_t *offset)
{
	address object = load(value).low;
	uint32_t place, count;

	(void)env;
	(void)buffer;
	(void)offset;
	memcpy(&place, at(object + ARRAY_ADDRESS_AT), sizeof(place));
	memcpy(&count, at(object + ARRAY_LENGTH_AT), sizeof(count));
	*type = napi_uint8_array;
	*data = at(place);
	*length = count;
	return napi_ok;
}

static bool get_length(napi_value value, uint32_t *length)
{
	address out = call(malloc, sizeof(*length));
	bool has_length = load(value).tag == TAG_OBJECT &&
			  call(QTS_GetLength, SNAPSHOT_CONTEXT, out, address_of(value)) == 0;

	memcpy(length, at(out), sizeof(*length));
	call(free, out);
	return has_length;
}

napi_status napi_is_array(napi_env env, napi_value value, bool *result)
{
	uint32_t length;

	(void)env;
	*result = get_length(value, &length);
	return napi_ok;
}

napi_status napi_get_array_length(napi_env env, napi_value value, uint32_t *length)
{
	(void)env;
	return get_length(value, length) ? napi_ok : napi_array_expected;
}

napi_status napi_get_element(napi_env env, napi_value array, uint32_t index, napi_value *element)
{
	*element = hold(env, call(QTS_GetPropNumber, SNAPSHOT_CONTEXT, address_of(array), (double)index));
	return napi_ok;
}

napi_status napi_create_int64(napi_env env, int64_t number, napi_value *value)
{
	*value = hold(env, call(QTS_NewFloat64, SNAPSHOT_CONTEXT, (double)number));
	return napi_ok;
}

/* A number: `address` is the only one that makes any, and src/snapshot/environment/load-addon.ts makes bigints of them. */
napi_status napi_create_bigint_uint64(napi_env env, uint64_t number, napi_value *value)
{
	*value = hold(env, call(QTS_NewFloat64, SNAPSHOT_CONTEXT, (double)number));
	return napi_ok;
}

napi_status napi_create_object(napi_env env, napi_value *value)
{
	*value = hold(env, call(QTS_NewObject, SNAPSHOT_CONTEXT));
	return napi_ok;
}

napi_status napi_create_array_with_length(napi_env env, size_t length, napi_value *value)
{
	(void)length;
	*value = hold(env, call(QTS_NewArray, SNAPSHOT_CONTEXT));
	return napi_ok;
}

napi_status napi_set_element(napi_env env, napi_value array, uint32_t index, napi_value element)
{
	napi_value key;

	napi_create_int64(env, index, &key);
	call(QTS_SetProp, SNAPSHOT_CONTEXT, address_of(array), address_of(key), address_of(element));
	return napi_ok;
}

napi_status napi_set_named_property(napi_env env, napi_value object, const char *name, napi_value value)
{
	(void)env;
	set_property(address_of(object), name, address_of(value));
	return napi_ok;
}

/* Only calls in the background need their arguments longer than they last. */
napi_status napi_create_reference(napi_env env, napi_value value, uint32_t count, napi_ref *reference)
{
	(void)env;
	(void)value;
	(void)count;
	*reference = NULL;
	return napi_ok;
}

napi_status napi_delete_reference(napi_env env, napi_ref reference)
{
	(void)env;
	(void)reference;
	return napi_ok;
}

address new_string(const char *text)
{
	size_t bytes = strlen(text) + 1;
	address copy = call(malloc, (u32)bytes), string;

	memcpy(at(copy), text, bytes);
	string = call(QTS_NewString, SNAPSHOT_CONTEXT, copy);
	call(free, copy);
	return string;
}

void set_property(address object, const char *name, address value)
{
	address key = new_string(name);

	call(QTS_SetProp, SNAPSHOT_CONTEXT, object, key, value);
	call(QTS_FreeValuePointer, SNAPSHOT_CONTEXT, key);
}

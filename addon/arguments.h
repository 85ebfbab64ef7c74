/*
 * Reading arguments of JavaScript calls: each reader checks the type, throws a TypeError when it is wrong,
 * and returns false then; the caller returns NULL at once.
 */
#ifndef GANTRY_ARGUMENTS_H
#define GANTRY_ARGUMENTS_H

#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Throws a TypeError; always returns false, so that readers can return it. */
bool throw_type(napi_env env, const char *message);

/* An integer of int (file descriptor, process id). */
bool read_int(napi_env env, napi_value value, const char *name, int *out);

/* A NUL-terminated copy that the caller frees; a string with a NUL inside is refused. */
bool read_string(napi_env env, napi_value value, const char *name, char **out);

/* The bytes of a Uint8Array in place: valid during the call only. */
bool read_bytes(napi_env env, napi_value value, const char *name, void **data, size_t *length);

/* A NULL-terminated array of copies; release it with free_strings. */
bool read_strings(napi_env env, napi_value value, const char *name, char ***out);
void free_strings(char **strings);

/* An array of ints that the caller frees; at most `max` of them. */
bool read_ints(napi_env env, napi_value value, const char *name, uint32_t max, int **out, uint32_t *count);

/* A number for a result or -errno. */
napi_value number(napi_env env, int64_t value);

/* Exactly `count` arguments, or a TypeError. */
bool read_arguments(napi_env env, napi_callback_info info, size_t count, napi_value *values);

#endif

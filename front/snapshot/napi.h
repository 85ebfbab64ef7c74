/* The addon's functions, called by the interpreter. */
#ifndef GANTRY_SNAPSHOT_NAPI_H
#define GANTRY_SNAPSHOT_NAPI_H

#include <node_api.h>

#include "interpreter.h"

/* With the JSValue[] `arguments`. Out: a JSValue for the interpreter; 0 for undefined. */
address call_function(napi_callback function, address arguments, uint32_t count);

address new_string(const char *text);
void set_property(address object, const char *name, address value);

#endif

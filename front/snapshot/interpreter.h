/* The one interpreter of this process. */
#ifndef GANTRY_SNAPSHOT_INTERPRETER_H
#define GANTRY_SNAPSHOT_INTERPRETER_H

#include <stdbool.h>
#include <stdint.h>

#include "module.h"
#include "snapshot.h"

/* What wasm2c calls the instance that imports come from. */
struct Z_a_instance_t {
	wasm_rt_memory_t memory;
	Z_quickjs_instance_t module;
	char **arguments;
	char **environment;
};

extern struct Z_a_instance_t interpreter;

/* An address within the interpreter's memory; 0 is none. */
typedef uint32_t address;

static inline void *at(address place)
{
	return interpreter.memory.data + place;
}

/* `call(QTS_NewFloat64, SNAPSHOT_CONTEXT, 1.0)` */
#define call(function, ...) interpreter_##function(&interpreter.module, ##__VA_ARGS__)

/* What `gantryHost` (src/snapshot/host.ts) calls; in: the number of the function. Out: a new JSValue, or 0 for undefined. */
address call_host(address arguments, uint32_t count, uint32_t function);

#endif

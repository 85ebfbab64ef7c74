/* The linear memory of the interpreter. */
#ifndef GANTRY_SNAPSHOT_MEMORY_H
#define GANTRY_SNAPSHOT_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "wasm-rt.h"

#define WASM_PAGE 65536u

/* As it was when the snapshot was made. False where that much address space is not to be had. */
bool load_snapshot(wasm_rt_memory_t *memory);
void unload_snapshot(void);

/* To at least `bytes`. */
bool grow_memory(wasm_rt_memory_t *memory, uint32_t bytes);

#endif

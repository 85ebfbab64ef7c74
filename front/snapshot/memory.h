/* The linear memory of the interpreter. */
#ifndef GANTRY_SNAPSHOT_MEMORY_H
#define GANTRY_SNAPSHOT_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "wasm-rt.h"

#define WASM_PAGE 65536u

/* As it was when the snapshot was made; changes stay in this process. Only touched pages cost anything. */
bool map_snapshot(wasm_rt_memory_t *memory);
void unmap_snapshot(wasm_rt_memory_t *memory);

/* To at least `bytes`. */
bool grow_memory(wasm_rt_memory_t *memory, uint32_t bytes);

#endif

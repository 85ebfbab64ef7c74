/*
 * How the interpreter's code reads and writes its memory, in the place of what wasm2c writes at the top of quickjs.c. No access is
 * checked (memory.c), and the memory's address is not looked up for each: on x86-64 a segment register has it, which saves a fifth
 * of all instructions.
 */
#ifndef GANTRY_SNAPSHOT_ACCESS_H
#define GANTRY_SNAPSHOT_ACCESS_H

#include <string.h>

#ifdef __SEG_GS
#define PLACE(type, memory, address) ((__seg_gs type *)(uintptr_t)(address))
#else
#define PLACE(type, memory, address) ((type *)((memory)->data + (address)))
#endif

/* WebAssembly's addresses are those of bytes: of any alignment, and of any type. */
#define DEFINE_LOAD(name, stored, extended, result)                                 \
	static inline result name(wasm_rt_memory_t *memory, u64 address)            \
	{                                                                           \
		typedef stored __attribute__((aligned(1), may_alias)) value;        \
		(void)memory;                                                       \
		return (result)(extended) * PLACE(value, memory, address);          \
	}

#define DEFINE_STORE(name, stored, given)                                           \
	static inline void name(wasm_rt_memory_t *memory, u64 address, given number) \
	{                                                                           \
		typedef stored __attribute__((aligned(1), may_alias)) value;        \
		(void)memory;                                                       \
		*PLACE(value, memory, address) = (value)number;                     \
	}

#define LOAD_DATA(memory, address, bytes, length) memcpy((memory).data + (address), bytes, length)

#endif

/*
 * What the interpreter's module imports: its own library of C asks the system for a clock and a bit more memory. Files,
 * environment and timers it never uses here. The functions' names are letters in the package's file.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "interpreter.h"
#include "memory.h"

static _Noreturn void give_up(const char *why)
{
	dprintf(STDERR_FILENO, "gantry-runtime: the interpreter stopped: %s\n", why);
	_exit(1);
}

/* Out of bounds, unreachable code, a call through a wrong pointer: the interpreter's memory is not to be trusted any more. */
void wasm_rt_trap(wasm_rt_trap_t trap)
{
	char why[32];

	snprintf(why, sizeof(why), "trap %d", (int)trap);
	give_up(why);
}

/* Types of one module are all different, so a number is enough to tell them apart. */
uint32_t wasm_rt_register_func_type(uint32_t params, uint32_t results, ...)
{
	static uint32_t registered;

	(void)params;
	(void)results;
	return ++registered;
}

void wasm_rt_allocate_funcref_table(wasm_rt_funcref_table_t *table, uint32_t elements, uint32_t max_elements)
{
	table->data = calloc(elements, sizeof(*table->data));
	table->size = table->data ? elements : 0;
	table->max_size = max_elements;
}

void wasm_rt_free_funcref_table(wasm_rt_funcref_table_t *table)
{
	free(table->data);
}

bool wasm_rt_is_initialized(void)
{
	return true;
}

wasm_rt_memory_t *Z_aZ_a(struct Z_a_instance_t *from)
{
	return &from->memory;
}

/* emscripten_resize_heap(bytes) */
u32 Z_aZ_k(struct Z_a_instance_t *from, u32 bytes)
{
	return grow_memory(&from->memory, bytes);
}

static double now(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

/* emscripten_date_now(): milliseconds */
f64 Z_aZ_p(struct Z_a_instance_t *from)
{
	(void)from;
	return floor(now(CLOCK_REALTIME));
}

/* clock_time_get(clock, precision, result): nanoseconds */
u32 Z_aZ_q(struct Z_a_instance_t *from, u32 clock, u64 precision, u32 result)
{
	uint64_t nanoseconds = (uint64_t)(now(clock == 0 ? CLOCK_REALTIME : CLOCK_MONOTONIC) * 1e6);

	(void)from;
	(void)precision;
	memcpy(at(result), &nanoseconds, sizeof(nanoseconds));
	return 0;
}

/* __assert_fail(condition, file, line, function) */
void Z_aZ_b(struct Z_a_instance_t *from, u32 condition, u32 file, u32 line, u32 function)
{
	(void)from;
	(void)file;
	(void)line;
	(void)function;
	give_up(at(condition));
}

/* abort() */
void Z_aZ_r(struct Z_a_instance_t *from)
{
	(void)from;
	give_up("abort");
}

/* The host's function `id` */
u32 Z_aZ_t(struct Z_a_instance_t *from, u32 context, u32 self, u32 count, u32 arguments, u32 id)
{
	(void)from;
	(void)context;
	(void)self;
	return call_host(arguments, count, id);
}

/* What the garbage collector says of the host's functions: they live as long as the process. */
void Z_aZ_u(struct Z_a_instance_t *from, u32 runtime, u32 id)
{
	(void)from;
	(void)runtime;
	(void)id;
}

/* localtime(time, result): the commands' times are UTC. */
void Z_aZ_m(struct Z_a_instance_t *from, u64 seconds, u32 result)
{
	time_t time = (time_t)seconds;
	struct tm parts;

	(void)from;
	gmtime_r(&time, &parts);
	memcpy(at(result), &parts, 9 * sizeof(int));
	memset((char *)at(result) + 36, 0, sizeof(int)); /* tm_gmtoff */
}

/* tzset(zone, daylight, name, name) */
void Z_aZ_n(struct Z_a_instance_t *from, u32 zone, u32 daylight, u32 standard_name, u32 daylight_name)
{
	(void)from;
	memset(at(zone), 0, sizeof(int));
	memset(at(daylight), 0, sizeof(int));
	strcpy(at(standard_name), "UTC");
	strcpy(at(daylight_name), "UTC");
}

/* shouldInterrupt(runtime): nothing does */
u32 Z_aZ_i(struct Z_a_instance_t *from, u32 runtime)
{
	(void)from;
	(void)runtime;
	return 0;
}

/*
 * The rest is never called: fd_write, fd_close, fd_seek, environ_get, environ_sizes_get, normalizeModule, loadModuleSource,
 * setitimer, runtime_keepalive_clear, exit.
 */
#define NEVER(result, name, ...)                 \
	result name(struct Z_a_instance_t *from, ##__VA_ARGS__) \
	{                                        \
		(void)from;                      \
		give_up(#name);                  \
	}
#pragma GCC diagnostic ignored "-Wunused-parameter"
NEVER(u32, Z_aZ_c, u32 a, u32 b, u32 c, u32 d)
NEVER(u32, Z_aZ_d, u32 a)
NEVER(u32, Z_aZ_o, u32 a, u64 b, u32 c, u32 d)
NEVER(u32, Z_aZ_e, u32 a, u32 b)
NEVER(u32, Z_aZ_f, u32 a, u32 b)
NEVER(u32, Z_aZ_g, u32 a, u32 b, u32 c, u32 d)
NEVER(u32, Z_aZ_h, u32 a, u32 b, u32 c)
NEVER(u32, Z_aZ_j, u32 a, f64 b)
NEVER(void, Z_aZ_l)
NEVER(void, Z_aZ_s, u32 a)

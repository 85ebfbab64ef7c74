/*
 * Reader of the binary plan (docs/helper-protocol.md). Every access is bounds-checked; nothing is copied:
 * strings are pointed at in place.
 */
#ifndef GANTRY_PLAN_H
#define GANTRY_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that are still to be read. After the first bad read `bad` stays set, and every read gives 0 or "". */
struct cursor {
	const uint8_t *at;
	const uint8_t *end;
	bool bad;
};

struct slice {
	const uint8_t *bytes;
	uint32_t length;
};

/* An array of strings in the plan: `count` of them, read one by one from `items`. */
struct strings {
	uint32_t count;
	struct cursor items;
};

struct plan {
	const uint8_t *bytes;
	size_t length;
	uint32_t count;
};

struct step {
	uint32_t ordinal; /* its position in this plan */
	uint32_t index;   /* its position in TypeScript's plan, for reports */
	uint16_t opcode;
	uint8_t phase;
	struct slice payload;
};

/* Where an iteration stands. */
struct plan_position {
	struct cursor cursor;
	uint32_t ordinal;
};

/*
 * Checks the whole plan: header, every step, every field of its payload, no byte left over.
 * Returns 0, or -EINVAL for a malformed plan; only a plan that was opened well may be iterated.
 */
int plan_open(struct plan *plan, const uint8_t *bytes, size_t length);

void plan_start(const struct plan *plan, struct plan_position *position);
/* Returns false after the last step. */
bool plan_next(struct plan_position *position, struct step *step);
/* The step at `ordinal`; false if there is none. */
bool plan_step(const struct plan *plan, uint32_t ordinal, struct step *step);
/* The first step with this opcode; false if there is none. */
bool plan_find(const struct plan *plan, uint16_t opcode, struct step *step);

/* Whether a filter of the plan has a listener, which a monitor passes on when the filter is loaded. */
bool plan_has_listener(const struct plan *plan);

struct cursor step_fields(const struct step *step);

uint8_t read_u8(struct cursor *cursor);
uint16_t read_u16(struct cursor *cursor);
uint32_t read_u32(struct cursor *cursor);
uint64_t read_u64(struct cursor *cursor);
int64_t read_number(struct cursor *cursor);
/* A string without an inner NUL, or "" when the cursor is bad. */
const char *read_string(struct cursor *cursor);
struct slice read_bytes(struct cursor *cursor);
struct strings read_strings(struct cursor *cursor);
/* The next one of an array; NULL after the last. */
const char *next_string(struct strings *strings);

/* Prints the plan to standard output, a JSON object a line. Returns the exit code. */
int dump_plan(const uint8_t *bytes, size_t length);

#endif

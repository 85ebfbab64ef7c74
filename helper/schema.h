/*
 * The fields of each operation, in the order of src/kernel/steps.ts: used to check a plan and to print it.
 *
 * A field is `name:type`; types are
 *   n number   q bigint   b boolean   s string   B bytes   S strings   N numbers
 *   w(a|b) one of these words         W(a|b) an array of them
 *   {…} an object                     ?TYPE optional
 */
#ifndef GANTRY_SCHEMA_H
#define GANTRY_SCHEMA_H

#include <stdint.h>

struct operation {
	const char *name;
	const char *fields;
};

/* NULL for an opcode that does not exist. */
const struct operation *operation_of(uint16_t opcode);

#endif

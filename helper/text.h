/*
 * Text in a fixed buffer. What does not fit is cut off; the text always ends with a NUL.
 * Instead of printf, whose code would be half of the helper.
 */
#ifndef GANTRY_TEXT_H
#define GANTRY_TEXT_H

#include <stddef.h>
#include <stdint.h>

struct text {
	char *at;
	size_t size; /* of the buffer, NUL included */
	size_t length;
};

#define TEXT_IN(array) {(array), sizeof(array), 0}

void text_start(struct text *text, char *buffer, size_t size);
void text_add(struct text *text, const char *string);
void text_add_bytes(struct text *text, const void *bytes, size_t length);
void text_add_number(struct text *text, int64_t number);
/* A JSON string with its quotes; control characters are escaped. */
void text_add_json(struct text *text, const char *string);

/* Reads decimal digits up to `end`; -1 when there are none, something else stands there, or it overflows. */
int64_t parse_number(const char *start, const char *end);

#endif

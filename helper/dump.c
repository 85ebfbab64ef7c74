/*
 * `gantry-helper dump-plan`: a plan as JSON, one step a line, with the names of src/kernel/steps.ts.
 * Numbers and bigints are decimal, bytes are hexadecimal text, what is absent is left out.
 */
#include <stdbool.h>
#include <string.h>

#include "io.h"
#include "plan.h"
#include "protocol.h"
#include "schema.h"
#include "text.h"

struct output {
	char buffer[4096];
	size_t length;
};

static void flush(struct output *out)
{
	write_all(STDOUT_FILENO, out->buffer, out->length);
	out->length = 0;
}

static void put_bytes(struct output *out, const void *bytes, size_t length)
{
	const char *at = bytes;

	while (length) {
		size_t room = sizeof(out->buffer) - out->length;
		size_t part = length < room ? length : room;

		memcpy(out->buffer + out->length, at, part);
		out->length += part;
		at += part;
		length -= part;
		if (out->length == sizeof(out->buffer))
			flush(out);
	}
}

static void put(struct output *out, const char *string)
{
	put_bytes(out, string, strlen(string));
}

static void put_number(struct output *out, bool is_signed, uint64_t value)
{
	char digits[24];
	size_t at = sizeof(digits);
	bool negative = is_signed && (int64_t)value < 0;

	if (negative)
		value = -value;
	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	if (negative)
		digits[--at] = '-';
	put_bytes(out, digits + at, sizeof(digits) - at);
}

static void put_string(struct output *out, const char *string)
{
	char buffer[16];

	put(out, "\"");
	for (; *string; string++) {
		struct text text = TEXT_IN(buffer);
		char one[2] = {*string, 0};

		text_add_json(&text, one);
		put_bytes(out, buffer + 1, text.length - 2); /* without its quotes */
	}
	put(out, "\"");
}

static void put_hex(struct output *out, struct slice slice)
{
	static const char hex[] = "0123456789abcdef";

	put(out, "\"");
	for (uint32_t i = 0; i < slice.length; i++) {
		char pair[2] = {hex[slice.bytes[i] >> 4], hex[slice.bytes[i] & 15]};
		put_bytes(out, pair, 2);
	}
	put(out, "\"");
}

/* The word at `index` of `(a|b|c)`. */
static void put_word(struct output *out, const char *words, unsigned index)
{
	size_t length;

	for (words++; index; index--)
		words = strchr(words, '|') + 1;
	length = strcspn(words, "|)");
	put(out, "\"");
	put_bytes(out, words, length);
	put(out, "\"");
}

static const char *put_fields(struct output *out, struct cursor *cursor, const char *fields, bool first);

static void put_array(struct output *out, struct cursor *cursor, char type, const char *words)
{
	uint32_t count = read_u32(cursor);

	put(out, "[");
	for (uint32_t i = 0; i < count; i++) {
		if (i)
			put(out, ",");
		if (type == 'S')
			put_string(out, read_string(cursor));
		else if (type == 'N')
			put_number(out, true, read_u64(cursor));
		else
			put_word(out, words, read_u8(cursor));
	}
	put(out, "]");
}

/* Prints a value of the type at `type`, and returns what stands behind the type. */
static const char *put_value(struct output *out, struct cursor *cursor, const char *type)
{
	const char *words = type + 1;
	const char *after_words = words + strcspn(words, ")") + 1;

	switch (*type) {
	case 'n':
		put_number(out, true, read_u64(cursor));
		break;
	case 'q':
		put_number(out, false, read_u64(cursor));
		break;
	case 'b':
		put(out, read_u8(cursor) ? "true" : "false");
		break;
	case 's':
		put_string(out, read_string(cursor));
		break;
	case 'B':
		put_hex(out, read_bytes(cursor));
		break;
	case 'S':
	case 'N':
		put_array(out, cursor, *type, NULL);
		break;
	case 'w':
		put_word(out, words, read_u8(cursor));
		return after_words;
	case 'W':
		put_array(out, cursor, *type, words);
		return after_words;
	case '{':
		put(out, "{");
		type = put_fields(out, cursor, words, true);
		put(out, "}");
		return type;
	}
	return words;
}

static const char *behind_type(const char *type)
{
	return type + strcspn(type, *type == '{' ? "}" : " }") + (*type == '{');
}

static const char *put_fields(struct output *out, struct cursor *cursor, const char *fields, bool first)
{
	while (*fields && *fields != '}') {
		size_t name = strcspn(fields, ":");
		const char *type = fields + name + 1;

		if (*type == '?' && !read_u8(cursor)) {
			fields = behind_type(type + 1);
		} else {
			put(out, first ? "\"" : ",\"");
			put_bytes(out, fields, name);
			put(out, "\":");
			fields = put_value(out, cursor, *type == '?' ? type + 1 : type);
			first = false;
		}
		while (*fields == ' ')
			fields++;
	}
	return *fields == '}' ? fields + 1 : fields;
}

static void put_step(struct output *out, const struct step *step)
{
	static const char *const phases[] = {"host", "clone", "setup", "start"};
	const struct operation *operation = operation_of(step->opcode);
	struct cursor cursor = step_fields(step);

	put(out, "{\"index\":");
	put_number(out, false, step->index);
	put(out, ",\"phase\":");
	put_string(out, phases[step->phase]);
	put(out, ",\"op\":");
	put_string(out, operation->name);
	put_fields(out, &cursor, operation->fields, false);
	put(out, "}\n");
}

int dump_plan(const uint8_t *bytes, size_t length)
{
	struct output out = {.length = 0};
	struct plan_position position;
	struct plan plan;
	struct step step;

	if (plan_open(&plan, bytes, length) < 0) {
		complain("the plan is malformed");
		return 1;
	}
	plan_start(&plan, &position);
	while (plan_next(&position, &step))
		put_step(&out, &step);
	flush(&out);
	return 0;
}

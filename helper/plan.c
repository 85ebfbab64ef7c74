#include "plan.h"

#include <errno.h>
#include <string.h>

#include "protocol.h"
#include "schema.h"

static const uint8_t *take(struct cursor *cursor, size_t length)
{
	const uint8_t *at = cursor->at;

	if (cursor->bad || (size_t)(cursor->end - at) < length) {
		cursor->bad = true;
		return NULL;
	}
	cursor->at += length;
	return at;
}

static uint64_t read_integer(struct cursor *cursor, unsigned bytes)
{
	const uint8_t *at = take(cursor, bytes);
	uint64_t value = 0;

	if (!at)
		return 0;
	for (unsigned i = 0; i < bytes; i++)
		value |= (uint64_t)at[i] << (8 * i);
	return value;
}

uint8_t read_u8(struct cursor *cursor)
{
	return (uint8_t)read_integer(cursor, 1);
}

uint16_t read_u16(struct cursor *cursor)
{
	return (uint16_t)read_integer(cursor, 2);
}

uint32_t read_u32(struct cursor *cursor)
{
	return (uint32_t)read_integer(cursor, 4);
}

uint64_t read_u64(struct cursor *cursor)
{
	return read_integer(cursor, 8);
}

int64_t read_number(struct cursor *cursor)
{
	return (int64_t)read_integer(cursor, 8);
}

const char *read_string(struct cursor *cursor)
{
	uint32_t length = read_u32(cursor);
	const uint8_t *bytes = length < UINT32_MAX ? take(cursor, (size_t)length + 1) : NULL;

	/* An inner NUL would make the kernel see another name than the planner meant. */
	if (!bytes || bytes[length] != 0 || memchr(bytes, 0, length)) {
		cursor->bad = true;
		return "";
	}
	return (const char *)bytes;
}

struct slice read_bytes(struct cursor *cursor)
{
	struct slice slice = {NULL, read_u32(cursor)};

	slice.bytes = take(cursor, slice.length);
	if (!slice.bytes)
		slice.length = 0;
	return slice;
}

struct strings read_strings(struct cursor *cursor)
{
	struct strings strings = {read_u32(cursor), {cursor->at, cursor->end, cursor->bad}};

	for (uint32_t i = 0; i < strings.count && !cursor->bad; i++)
		read_string(cursor);
	if (cursor->bad)
		strings.count = 0;
	return strings;
}

const char *next_string(struct strings *strings)
{
	if (!strings->count)
		return NULL;
	strings->count--;
	return read_string(&strings->items);
}

struct cursor step_fields(const struct step *step)
{
	return (struct cursor){step->payload.bytes, step->payload.bytes + step->payload.length, false};
}

/* The number of words in `(a|b|c)`; `*type` moves behind the closing parenthesis. */
static unsigned count_words(const char **type)
{
	unsigned words = 1;

	for (; **type && **type != ')'; (*type)++)
		words += **type == '|';
	if (**type)
		(*type)++;
	return words;
}

static const char *check_fields(struct cursor *cursor, const char *fields);

static void check_array(struct cursor *cursor, unsigned element_bytes)
{
	uint32_t count = read_u32(cursor);

	take(cursor, (size_t)count * element_bytes);
}

static void check_word(struct cursor *cursor, unsigned words)
{
	if (read_u8(cursor) >= words)
		cursor->bad = true;
}

/* Skips the rest of a type that is not there. */
static const char *skip_type(const char *type)
{
	char close = *type == '{' ? '}' : *type == 'w' || *type == 'W' ? ')' : 0;

	if (!close)
		return type + 1;
	while (*type && *type != close)
		type++;
	return *type ? type + 1 : type;
}

static const char *check_type(struct cursor *cursor, const char *type)
{
	switch (*type++) {
	case 'n':
	case 'q':
		read_u64(cursor);
		break;
	case 'b':
		check_word(cursor, 2);
		break;
	case 's':
		read_string(cursor);
		break;
	case 'B':
		read_bytes(cursor);
		break;
	case 'S':
		read_strings(cursor);
		break;
	case 'N':
		check_array(cursor, 8);
		break;
	case 'w':
		check_word(cursor, count_words(&type));
		break;
	case 'W': {
		unsigned words = count_words(&type);

		for (uint32_t count = read_u32(cursor); count && !cursor->bad; count--)
			check_word(cursor, words);
		break;
	}
	case '{':
		type = check_fields(cursor, type);
		break;
	case '?': {
		uint8_t present = read_u8(cursor);

		if (present > 1)
			cursor->bad = true;
		type = present ? check_type(cursor, type) : skip_type(type);
		break;
	}
	default:
		cursor->bad = true;
	}
	return type;
}

/* Checks `name:type name:type …` up to the end or a closing brace, behind which it returns. */
static const char *check_fields(struct cursor *cursor, const char *fields)
{
	while (*fields && *fields != '}' && !cursor->bad) {
		while (*fields && *fields != ':')
			fields++;
		if (!*fields)
			break;
		fields = check_type(cursor, fields + 1);
		while (*fields == ' ')
			fields++;
	}
	return *fields == '}' ? fields + 1 : fields;
}

static bool step_is_valid(const struct step *step)
{
	const struct operation *operation = operation_of(step->opcode);
	struct cursor cursor = step_fields(step);

	if (!operation || step->phase < PHASE_CLONE || step->phase > PHASE_START)
		return false;
	check_fields(&cursor, operation->fields);
	return !cursor.bad && cursor.at == cursor.end;
}

static bool read_step(struct cursor *cursor, struct step *step)
{
	step->opcode = read_u16(cursor);
	step->phase = read_u8(cursor);
	read_u8(cursor);
	step->index = read_u32(cursor);
	step->payload = read_bytes(cursor);
	return !cursor->bad;
}

int plan_open(struct plan *plan, const uint8_t *bytes, size_t length)
{
	struct cursor cursor = {bytes, bytes + length, false};
	const uint8_t *magic = take(&cursor, 4);
	uint16_t version = read_u16(&cursor);
	uint16_t count = read_u16(&cursor);
	uint8_t phase = PHASE_HOST;

	if (cursor.bad || memcmp(magic, PLAN_MAGIC, 4) != 0 || version != PLAN_VERSION)
		return -EINVAL;
	for (unsigned i = 0; i < count; i++) {
		struct step step;

		if (!read_step(&cursor, &step) || step.phase < phase || !step_is_valid(&step))
			return -EINVAL;
		phase = step.phase;
	}
	if (cursor.at != cursor.end)
		return -EINVAL;
	*plan = (struct plan){bytes, length, count};
	return 0;
}

void plan_start(const struct plan *plan, struct plan_position *position)
{
	position->cursor = (struct cursor){plan->bytes + PLAN_HEADER_BYTES, plan->bytes + plan->length, false};
	position->ordinal = 0;
}

bool plan_next(struct plan_position *position, struct step *step)
{
	if (position->cursor.at == position->cursor.end || !read_step(&position->cursor, step))
		return false;
	step->ordinal = position->ordinal++;
	return true;
}

bool plan_step(const struct plan *plan, uint32_t ordinal, struct step *step)
{
	struct plan_position position;

	plan_start(plan, &position);
	while (plan_next(&position, step))
		if (step->ordinal == ordinal)
			return true;
	return false;
}

bool plan_find(const struct plan *plan, uint16_t opcode, struct step *step)
{
	struct plan_position position;

	plan_start(plan, &position);
	while (plan_next(&position, step))
		if (step->opcode == opcode)
			return true;
	return false;
}

bool plan_has_listener(const struct plan *plan)
{
	struct step step;
	struct cursor fields;

	if (!plan_find(plan, OP_LOAD_SECCOMP, &step))
		return false;
	fields = step_fields(&step);
	read_bytes(&fields);
	read_number(&fields);
	return read_u8(&fields);
}

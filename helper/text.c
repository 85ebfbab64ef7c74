#include "text.h"

#include <string.h>

void text_start(struct text *text, char *buffer, size_t size)
{
	text->at = buffer;
	text->size = size;
	text->length = 0;
	if (size)
		buffer[0] = 0;
}

void text_add_bytes(struct text *text, const void *bytes, size_t length)
{
	size_t room = text->size ? text->size - 1 - text->length : 0;

	if (length > room)
		length = room;
	if (!length)
		return;
	memcpy(text->at + text->length, bytes, length);
	text->length += length;
	text->at[text->length] = 0;
}

void text_add(struct text *text, const char *string)
{
	text_add_bytes(text, string, strlen(string));
}

void text_add_number(struct text *text, int64_t number)
{
	char digits[24];
	size_t at = sizeof(digits);
	uint64_t rest = number < 0 ? -(uint64_t)number : (uint64_t)number;

	do {
		digits[--at] = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest);
	if (number < 0)
		digits[--at] = '-';
	text_add_bytes(text, digits + at, sizeof(digits) - at);
}

void text_add_json(struct text *text, const char *string)
{
	static const char hex[] = "0123456789abcdef";

	text_add(text, "\"");
	for (; *string; string++) {
		unsigned char byte = (unsigned char)*string;

		if (byte == '"' || byte == '\\') {
			char escaped[2] = {'\\', (char)byte};
			text_add_bytes(text, escaped, 2);
		} else if (byte < 0x20) {
			char escaped[6] = {'\\', 'u', '0', '0', hex[byte >> 4], hex[byte & 15]};
			text_add_bytes(text, escaped, 6);
		} else {
			text_add_bytes(text, string, 1);
		}
	}
	text_add(text, "\"");
}

int64_t parse_number(const char *start, const char *end)
{
	int64_t number = 0;

	if (start >= end)
		return -1;
	for (; start < end; start++) {
		if (*start < '0' || *start > '9' || number > (INT64_MAX - 9) / 10)
			return -1;
		number = number * 10 + (*start - '0');
	}
	return number;
}

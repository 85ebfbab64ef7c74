#include "message.h"

#include <string.h>

static void put_integer(struct message *message, uint64_t value, unsigned bytes)
{
	if (message->size - message->length < bytes)
		return;
	for (unsigned i = 0; i < bytes; i++)
		message->bytes[message->length++] = (uint8_t)(value >> (8 * i));
}

void message_begin(struct message *message, uint8_t *bytes, size_t size, uint16_t type, uint16_t tag)
{
	*message = (struct message){bytes, size, 0};
	put_integer(message, 0, 4);
	put_integer(message, type, 2);
	put_integer(message, tag, 2);
}

void message_u32(struct message *message, uint32_t value)
{
	put_integer(message, value, 4);
}

void message_u64(struct message *message, uint64_t value)
{
	put_integer(message, value, 8);
}

void message_string(struct message *message, const char *string)
{
	size_t length = strlen(string);
	size_t room = message->size - message->length;

	if (room < 5)
		return;
	if (length > room - 5)
		length = room - 5;
	put_integer(message, length, 4);
	memcpy(message->bytes + message->length, string, length);
	message->length += length;
	message->bytes[message->length++] = 0;
}

size_t message_end(struct message *message)
{
	size_t length = message->length;

	message->length = 0;
	put_integer(message, length - MESSAGE_HEADER_BYTES, 4);
	message->length = length;
	return length;
}

size_t message_failed(uint8_t *bytes, uint16_t tag, uint32_t process, const struct failure *failure)
{
	struct message message;

	message_begin(&message, bytes, MESSAGE_SMALL_BYTES, MESSAGE_FAILED, tag);
	message_u32(&message, process);
	message_u32(&message, failure->step);
	message_u32(&message, (uint32_t)failure->error);
	message_string(&message, failure->detail);
	return message_end(&message);
}

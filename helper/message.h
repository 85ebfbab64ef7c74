/* Messages of the shim's socket, and of the report pipe of `create`: writing them. */
#ifndef GANTRY_MESSAGE_H
#define GANTRY_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include "protocol.h"
#include "report.h"

/* A message under construction; what does not fit is cut off at `size`. */
struct message {
	uint8_t *bytes;
	size_t size;
	size_t length;
};

#define MESSAGE_SMALL_BYTES (DETAIL_BYTES + 512)

void message_begin(struct message *message, uint8_t *bytes, size_t size, uint16_t type, uint16_t tag);
void message_u32(struct message *message, uint32_t value);
void message_u64(struct message *message, uint64_t value);
void message_string(struct message *message, const char *string);
/* Fills in the length; returns the number of bytes to send. */
size_t message_end(struct message *message);

/* A whole FAILED message; `bytes` has room for MESSAGE_SMALL_BYTES. Returns its length. */
size_t message_failed(uint8_t *bytes, uint16_t tag, uint32_t process, const struct failure *failure);

#endif

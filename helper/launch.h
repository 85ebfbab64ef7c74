/* The launch message (docs/helper-protocol.md). */
#ifndef GANTRY_LAUNCH_H
#define GANTRY_LAUNCH_H

#include <stdint.h>

#include "io.h"
#include "plan.h"

struct launch {
	uint16_t flags;
	const char *directory;
	const char *log_path; /* "": no log */
	uint64_t log_max_bytes;
	uint32_t log_max_files;
	const char *container_id;
	struct plan plan;
	struct file_content content; /* what all of the above points into */
};

/* Parses bytes that the caller keeps. 0 or -EINVAL. */
int launch_parse(struct launch *launch, const uint8_t *bytes, size_t length);
/* Reads FD_LAUNCH to its end and closes it. 0 or -errno. */
int launch_read(struct launch *launch);

#endif

#include "launch.h"

#include <errno.h>
#include <string.h>

#include "protocol.h"

#define LAUNCH_MAX_BYTES (64u << 20)

int launch_parse(struct launch *launch, const uint8_t *bytes, size_t length)
{
	struct cursor cursor = {bytes, bytes + length, false};
	struct slice plan;

	if (length < 4 || memcmp(bytes, LAUNCH_MAGIC, 4) != 0)
		return -EINVAL;
	cursor.at += 4;
	if (read_u16(&cursor) != LAUNCH_VERSION)
		return -EINVAL;
	launch->flags = read_u16(&cursor);
	launch->directory = read_string(&cursor);
	launch->log_path = read_string(&cursor);
	launch->log_max_bytes = read_u64(&cursor);
	launch->log_max_files = read_u32(&cursor);
	launch->container_id = read_string(&cursor);
	plan = read_bytes(&cursor);
	if (cursor.bad || cursor.at != cursor.end)
		return -EINVAL;
	return plan_open(&launch->plan, plan.bytes, plan.length);
}

int launch_read(struct launch *launch)
{
	int error;

	lseek(FD_LAUNCH, 0, SEEK_SET); /* a memory file stands where its writer left it; a pipe refuses */
	error = read_to_end(FD_LAUNCH, LAUNCH_MAX_BYTES, &launch->content);
	close(FD_LAUNCH);
	if (error < 0)
		return error;
	error = launch_parse(launch, launch->content.bytes, launch->content.length);
	if (error < 0)
		content_release(&launch->content);
	return error;
}

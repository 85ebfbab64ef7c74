/* Reading and writing whole things. Results are -errno on failure. */
#ifndef GANTRY_IO_H
#define GANTRY_IO_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <unistd.h>

/* Memory that was read from a descriptor, in pages of its own. */
struct file_content {
	uint8_t *bytes;
	size_t length;
	size_t mapped;
};

/* Reads up to the end; at most `limit` bytes, else -EFBIG. */
int read_to_end(int fd, size_t limit, struct file_content *content);
void content_release(struct file_content *content);

int write_all(int fd, const void *bytes, size_t length);
/* Opens below `dir`, writes once, closes. */
int write_file_at(int dir, const char *path, int flags, const char *value);

/* Opens /dev/null on those of 0, 1, 2 which are closed, so that no later descriptor lands there. */
int ensure_stdio(void);
int set_nonblocking(int fd);

/* Writes `gantry-helper: MESSAGE` to standard error. */
void complain(const char *message);

uint64_t now_realtime_ns(void);
uint64_t now_monotonic_ms(void);

#endif

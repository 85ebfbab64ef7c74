#include "io.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#include "system.h"
#include "text.h"

/* Makes room for one more byte; mremap moves pages, it copies nothing. */
static int grow(struct file_content *content)
{
	size_t wanted = content->mapped ? content->mapped * 2 : 16384;
	void *bytes = content->mapped
			      ? mremap(content->bytes, content->mapped, wanted, MREMAP_MAYMOVE)
			      : mmap(NULL, wanted, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (bytes == MAP_FAILED)
		return -errno;
	content->bytes = bytes;
	content->mapped = wanted;
	return 0;
}

int read_to_end(int fd, size_t limit, struct file_content *content)
{
	int error = 0;

	*content = (struct file_content){NULL, 0, 0};
	while (!error) {
		ssize_t got;

		if (content->length == content->mapped && (error = grow(content)) < 0)
			break;
		got = read(fd, content->bytes + content->length, content->mapped - content->length);
		if (got == 0)
			return 0;
		if (got < 0)
			error = errno == EINTR ? 0 : -errno;
		else
			content->length += (size_t)got;
		if (content->length > limit)
			error = -EFBIG;
	}
	content_release(content);
	return error;
}

void content_release(struct file_content *content)
{
	if (content->mapped)
		munmap(content->bytes, content->mapped);
	*content = (struct file_content){NULL, 0, 0};
}

int write_all(int fd, const void *bytes, size_t length)
{
	const char *at = bytes;

	while (length) {
		ssize_t done = write(fd, at, length);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		at += done;
		length -= (size_t)done;
	}
	return 0;
}

int write_file_at(int dir, const char *path, int flags, const char *value)
{
	int fd CLOSED_AT_END = openat(dir, path, flags | O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	/* Files of the kernel take a value in one write, or not at all. */
	return write(fd, value, strlen(value)) < 0 ? -errno : 0;
}

int ensure_stdio(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (fd < 0)
			return -errno;
		if (fd <= STDERR_FILENO && fcntl(fd, F_SETFD, 0) < 0)
			return -errno;
	} while (fd <= STDERR_FILENO);
	close(fd);
	return 0;
}

int set_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ? -errno : 0;
}

void complain(const char *message)
{
	char buffer[512];
	struct text text = TEXT_IN(buffer);

	text_add(&text, "gantry-helper: ");
	text_add(&text, message);
	text_add(&text, "\n");
	write_all(STDERR_FILENO, buffer, text.length);
}

static uint64_t now(clockid_t clock, uint64_t per_second)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return (uint64_t)time.tv_sec * per_second + (uint64_t)time.tv_nsec / (1000000000u / per_second);
}

uint64_t now_realtime_ns(void)
{
	return now(CLOCK_REALTIME, 1000000000u);
}

uint64_t now_monotonic_ms(void)
{
	return now(CLOCK_MONOTONIC, 1000u);
}

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "cgroups.h"
#include "commands.h"
#include "process.h"
#include "system.h"

#define FAILURE_FILE "start.failure" /* src/runtime/lifecycle/exec-fifo.ts reads it */
#define REPORT_MAX_BYTES (64u << 10) /* what a fifo holds */

/* Some bytes of the fifo; 0 at its end. -1 when the process ended first. */
static ssize_t read_some(int fifo, int pidfd, char *into, size_t size)
{
	for (;;) {
		struct pollfd ready[] = {{.fd = fifo, .events = POLLIN}, {.fd = pidfd, .events = POLLIN}};
		ssize_t got;

		if (poll(ready, 2, -1) < 0 && errno != EINTR)
			return -1;
		if (!ready[0].revents && ready[1].revents)
			return -1;
		if (!ready[0].revents)
			continue;
		got = read(fifo, into, size);
		if (got >= 0 || (errno != EAGAIN && errno != EINTR))
			return got;
	}
}

/* The step that failed is named by the full program, which has the plan: it finds the report in this file. */
static void keep_failure(int directory, const char *report, size_t length)
{
	int fd CLOSED_AT_END = openat(directory, FAILURE_FILE, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd >= 0 && write(fd, report, length) < 0)
		unlinkat(directory, FAILURE_FILE, 0);
}

/* Lets the waiting process go on, which writes "0", and waits until it has executed its program. */
static bool release(int directory, int pidfd)
{
	static char buffer[1 + REPORT_MAX_BYTES];
	int fifo CLOSED_AT_END = openat(directory, FIFO_FILE, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	size_t length;
	ssize_t got = fifo < 0 ? -1 : read_some(fifo, pidfd, buffer, sizeof(buffer));

	if (got <= 0)
		return false;
	unlinkat(directory, FIFO_FILE, 0);
	for (length = (size_t)got; got > 0 && length < sizeof(buffer); length += (size_t)got) {
		got = read_some(fifo, -1, buffer + length, sizeof(buffer) - length);
		if (got < 0)
			return false;
	}
	if (length == 1)
		return true;
	keep_failure(directory, buffer + 1, length - 1);
	return false;
}

bool start_container(int directory, const struct record *record)
{
	int pidfd CLOSED_AT_END = record->plain_start ? open_alive(record->pid, record->start_time) : -1;

	return pidfd >= 0 && is_frozen(record->freezer, record->cgroup_version) == 0 && is_waiting(record->pid) &&
	       release(directory, pidfd);
}

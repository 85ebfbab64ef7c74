#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "system.h"
#include "text.h"

#define START_TIME_FIELD 19 /* counted from the state, which is 0 */

static void process_path(struct text *path, pid_t pid, const char *file)
{
	text_add(path, "/proc/");
	text_add_number(path, pid);
	text_add(path, file);
}

/* Start time and state of proc_pid_stat(5). The name in parentheses may hold anything, parentheses too. */
static bool parse_stat(const char *stat, char *state, int64_t *start_time)
{
	const char *at = strrchr(stat, ')');

	if (!at || at[1] != ' ')
		return false;
	at += 2;
	*state = *at;
	for (int field = 0; field < START_TIME_FIELD; field++) {
		at = strchr(at, ' ');
		if (!at)
			return false;
		at++;
	}
	*start_time = parse_number(at, at + strcspn(at, " "));
	return *start_time >= 0;
}

bool is_alive(pid_t pid, int64_t start_time)
{
	char name[64], stat[1024], state = 'X';
	struct text path = TEXT_IN(name);
	int fd CLOSED_AT_END = -1;
	int64_t found = -1;
	ssize_t got;

	process_path(&path, pid, "/stat");
	fd = open(name, O_RDONLY | O_CLOEXEC);
	got = fd < 0 ? -1 : read(fd, stat, sizeof(stat) - 1);
	if (got <= 0)
		return false;
	stat[got] = 0;
	return parse_stat(stat, &state, &found) && found == start_time && state != 'Z' && state != 'X';
}

bool is_waiting(pid_t pid)
{
	char name[64], target[256];
	struct text path = TEXT_IN(name);
	ssize_t length;

	process_path(&path, pid, "/exe");
	length = readlink(name, target, sizeof(target));
	return length < 0 || memmem(target, (size_t)length, "gantry-helper", strlen("gantry-helper"));
}

int open_alive(pid_t pid, int64_t start_time)
{
	int pidfd = sys_pidfd_open(pid);

	if (pidfd < 0 || is_alive(pid, start_time))
		return pidfd;
	close(pidfd);
	return -ESRCH;
}

bool signal_process(int pidfd, int number)
{
	return syscall(NR_PIDFD_SEND_SIGNAL, pidfd, number, NULL, 0) == 0;
}

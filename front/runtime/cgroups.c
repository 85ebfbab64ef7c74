#include "cgroups.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "text.h"
#include "system.h"

#define KILL_PAUSE_MS 2
#define KILL_ATTEMPTS 5000 /* ten seconds */

static bool join_path(char *into, size_t size, const char *directory, const char *name)
{
	struct text path;

	text_start(&path, into, size);
	text_add(&path, directory);
	text_add(&path, "/");
	text_add(&path, name);
	return path.length + 1 < size;
}

/* Opens a file of a cgroup; -errno. */
static int open_file(const char *directory, const char *name, int flags)
{
	char path[PATH_MAX];
	int fd = -1;

	errno = ENAMETOOLONG;
	if (join_path(path, sizeof(path), directory, name))
		fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static bool is_missing(int result)
{
	return result == -ENOENT || result == -ENODEV || result == -EOPNOTSUPP;
}

/* Calls `visit` for each directory right below. False when they cannot be listed, or `visit` said so. */
static bool each_child(const char *directory, bool (*visit)(const char *child, void *context), void *context)
{
	DIR *opened = opendir(directory);
	bool ok = opened || errno == ENOENT;
	struct dirent *entry;
	char path[PATH_MAX];

	while (ok && opened && (entry = readdir(opened))) {
		if (entry->d_type != DT_DIR || strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		ok = join_path(path, sizeof(path), directory, entry->d_name) && visit(path, context);
	}
	if (opened)
		closedir(opened);
	return ok;
}

struct sweep {
	int number;
	pid_t spare;
	int found;
};

static bool signal_one(struct sweep *sweep, pid_t pid)
{
	sweep->found++;
	/* 0 stands for a process of a pid namespace that this one cannot see. */
	if (sweep->number == COUNT_ONLY || pid == 0 || pid == sweep->spare)
		return true;
	return kill(pid, sweep->number) == 0 || errno == ESRCH;
}

/* One pid in each line. */
static bool signal_listed(struct sweep *sweep, int procs)
{
	char buffer[4096];
	int64_t pid = -1;
	ssize_t got;

	while ((got = read(procs, buffer, sizeof(buffer))) > 0) {
		for (ssize_t i = 0; i < got; i++) {
			if (buffer[i] != '\n') {
				pid = (pid < 0 ? 0 : pid * 10) + (buffer[i] - '0');
			} else if (pid >= 0) {
				if (!signal_one(sweep, (pid_t)pid))
					return false;
				pid = -1;
			}
		}
	}
	return got == 0 || is_missing(-errno);
}

static bool sweep_cgroup(const char *directory, void *context)
{
	int procs CLOSED_AT_END = open_file(directory, "cgroup.procs", O_RDONLY);

	if (procs < 0 && !is_missing(procs))
		return false;
	if (procs >= 0 && !signal_listed(context, procs))
		return false;
	return each_child(directory, sweep_cgroup, context);
}

int signal_cgroup(const char *directory, int number, pid_t spare)
{
	struct sweep sweep = {.number = number, .spare = spare};

	if (!*directory)
		return 0;
	return sweep_cgroup(directory, &sweep) ? sweep.found : -1;
}

/* A small file without its newline. 0 when it is missing, -1 when it cannot be read. */
static int read_word(const char *directory, const char *name, char *word, size_t size)
{
	int fd CLOSED_AT_END = open_file(directory, name, O_RDONLY);
	ssize_t got = fd < 0 ? 0 : read(fd, word, size - 1);

	if (fd < 0)
		return is_missing(fd) ? 0 : -1;
	if (got < 0)
		return is_missing(-errno) ? 0 : -1;
	word[got] = 0;
	word[strcspn(word, "\n")] = 0;
	return 1;
}

static bool write_word(const char *directory, const char *name, const char *word)
{
	int fd CLOSED_AT_END = open_file(directory, name, O_WRONLY);

	return fd >= 0 && write(fd, word, strlen(word)) == (ssize_t)strlen(word);
}

int is_frozen(const char *freezer, int64_t version)
{
	char word[32];
	int found;

	if (!*freezer)
		return 0;
	found = read_word(freezer, version == 2 ? "cgroup.freeze" : "freezer.state", word, sizeof(word));
	if (found <= 0)
		return found;
	if (version == 2)
		return strcmp(word, "1") == 0;
	return strcmp(word, "FROZEN") == 0 || strcmp(word, "FREEZING") == 0;
}

bool thaw(const char *freezer)
{
	return write_word(freezer, "freezer.state", "THAWED");
}

/* cgroup.kill (Linux 5.14) is one step that no fork escapes; without it, the repetition catches those. */
static bool kill_once(const char *directory)
{
	int file CLOSED_AT_END = open_file(directory, "cgroup.kill", O_WRONLY);

	if (file >= 0)
		return write(file, "1", 1) == 1;
	return is_missing(file) && signal_cgroup(directory, SIGKILL, 0) >= 0;
}

bool kill_cgroup(const char *directory, const char *freezer, int64_t version)
{
	for (int attempt = 0; attempt < KILL_ATTEMPTS; attempt++) {
		int count = signal_cgroup(directory, COUNT_ONLY, 0);

		if (count <= 0)
			return count == 0;
		if (!kill_once(directory))
			return false;
		if (version == 1 && is_frozen(freezer, version) != 0 && !thaw(freezer))
			return false;
		pause_milliseconds(KILL_PAUSE_MS);
	}
	return false;
}

static bool remove_child(const char *directory, void *context)
{
	(void)context;
	return remove_cgroup(directory);
}

bool remove_cgroup(const char *directory)
{
	if (rmdir(directory) == 0 || errno == ENOENT)
		return true;
	/* EBUSY says both: processes, or cgroups below. */
	if (!each_child(directory, remove_child, NULL))
		return false;
	return rmdir(directory) == 0 || errno == ENOENT;
}

void pause_milliseconds(long milliseconds)
{
	nanosleep(&(struct timespec){.tv_nsec = milliseconds * 1000000}, NULL);
}

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroups.h"
#include "commands.h"
#include "process.h"
#include "system.h"

#define END_TIMEOUT_MS 10000
#define REMOVE_ATTEMPTS 25 /* about a second */
#define REMOVE_PAUSE_MAX_MS 50
#define STATE_FILE "state.json"

/* The lock of whoever makes or removes the container; held until the descriptor is closed. */
static bool lock_directory(const char *path, int directory)
{
	struct stat opened, named;

	if (flock(directory, LOCK_EX | LOCK_NB) < 0)
		return false;
	/* The container may have been removed, or made anew, before we got the lock. */
	return fstat(directory, &opened) == 0 && stat(path, &named) == 0 && opened.st_ino == named.st_ino;
}

/* A zombie has ended: its parent is somebody else's. */
static bool wait_for_end(const struct record *record)
{
	int pidfd CLOSED_AT_END = open_alive(record->pid, record->start_time);

	if (pidfd < 0)
		return pidfd == -ESRCH;
	return poll(&(struct pollfd){.fd = pidfd, .events = POLLIN}, 1, END_TIMEOUT_MS) == 1;
}

static bool kill_and_wait(const struct record *record)
{
	int delivered = signal_container(record, SIGKILL, true);

	return delivered == 0 || (delivered > 0 && wait_for_end(record));
}

/* A process that has just ended may hold a cgroup for a moment. */
static bool remove_cgroup_patiently(const char *directory)
{
	long pause = 1;

	for (int attempt = 0; attempt < REMOVE_ATTEMPTS; attempt++) {
		if (remove_cgroup(directory))
			return true;
		pause_milliseconds(pause);
		pause = pause * 2 < REMOVE_PAUSE_MAX_MS ? pause * 2 : REMOVE_PAUSE_MAX_MS;
	}
	return false;
}

static bool remove_cgroups(const struct record *record)
{
	for (size_t i = 0; i < record->cgroup_count; i++) {
		if (!remove_cgroup_patiently(record->cgroups[i]))
			return false;
	}
	return true;
}

/* state.json goes last: as long as it is there, the container can be deleted again. */
static bool remove_directory(const char *path, int directory)
{
	DIR *listed = fdopendir(openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	bool ok = listed;
	struct dirent *entry;

	while (ok && (entry = readdir(listed))) {
		const char *name = entry->d_name;

		if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && strcmp(name, STATE_FILE) != 0)
			ok = unlinkat(directory, name, 0) == 0 || errno == ENOENT;
	}
	if (listed)
		closedir(listed);
	return ok && unlinkat(directory, STATE_FILE, 0) == 0 && rmdir(path) == 0;
}

bool delete_container(const char *path, int directory, const struct record *record, bool force)
{
	if (!record->plain_delete || !lock_directory(path, directory))
		return false;
	if (force ? !kill_and_wait(record) : is_alive(record->pid, record->start_time))
		return false;
	return kill_cgroup(record->killed, record->freezer, record->cgroup_version) && remove_cgroups(record) &&
	       remove_directory(path, directory);
}

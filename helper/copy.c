/* Copying a directory into a new tmpfs (the mount option `tmpcopyup`). */
#include <dirent.h>
#include <limits.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include "mounts.h"
#include "system.h"

#define COPY_DEPTH 64

static int copy_tree(int from, int to, unsigned depth);

static int copy_file(int from, const char *name, int to)
{
	int source CLOSED_AT_END = openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	int target CLOSED_AT_END = -1;
	ssize_t sent;

	if (source < 0)
		return -errno;
	target = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (target < 0)
		return -errno;
	do
		sent = sendfile(target, source, NULL, 1 << 20);
	while (sent > 0 || (sent < 0 && errno == EINTR));
	return sent < 0 ? -errno : 0;
}

static int copy_link(int from, const char *name, int to)
{
	char link[PATH_MAX];
	ssize_t length = readlinkat(from, name, link, sizeof(link) - 1);

	if (length < 0)
		return -errno;
	link[length] = 0;
	return symlinkat(link, to, name) < 0 ? -errno : 0;
}

static int copy_subdirectory(int from, const char *name, int to, unsigned depth)
{
	int source CLOSED_AT_END = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int target CLOSED_AT_END = -1;

	if (source < 0 || mkdirat(to, name, 0700) < 0)
		return -errno;
	target = openat(to, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return target < 0 ? -errno : copy_tree(source, target, depth + 1);
}

static int copy_entry(int from, const char *name, int to, unsigned depth)
{
	struct stat info;
	struct timespec times[2];
	int error;

	if (fstatat(from, name, &info, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (S_ISREG(info.st_mode))
		error = copy_file(from, name, to);
	else if (S_ISLNK(info.st_mode))
		error = copy_link(from, name, to);
	else if (S_ISDIR(info.st_mode))
		error = copy_subdirectory(from, name, to, depth);
	else
		error = mknodat(to, name, info.st_mode, info.st_rdev) < 0 ? -errno : 0;
	if (error < 0)
		return error;
	times[0] = info.st_atim;
	times[1] = info.st_mtim;
	if (fchownat(to, name, info.st_uid, info.st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	/* After the owner, whose change clears the set-id bits. */
	if (!S_ISLNK(info.st_mode) && fchmodat(to, name, info.st_mode & 07777, 0) < 0)
		return -errno;
	return utimensat(to, name, times, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

static int copy_tree(int from, int to, unsigned depth)
{
	int listing = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *entry;
	DIR *directory;
	int error = 0;

	if (listing < 0)
		return -errno;
	directory = depth < COPY_DEPTH ? fdopendir(listing) : NULL;
	if (!directory) {
		close(listing);
		return -ELOOP;
	}
	while (!error && (entry = readdir(directory)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			error = copy_entry(from, entry->d_name, to, depth);
	closedir(directory);
	return error;
}

int copy_directory(int from, int to)
{
	struct stat info;
	int error = copy_tree(from, to, 0);

	if (error < 0 || fstat(from, &info) < 0)
		return error < 0 ? error : -errno;
	return fchownat(to, "", info.st_uid, info.st_gid, AT_EMPTY_PATH) < 0 ? -errno : 0;
}

/* Copying a directory into a new tmpfs (the mount option `tmpcopyup`). */
#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "mounts.h"
#include "system.h"
#include "text.h"

#define COPY_DEPTH 64
#define ATTRIBUTE_BYTES 65536 /* XATTR_SIZE_MAX, XATTR_LIST_MAX */

/* A copied file that has further names. */
struct copied {
	dev_t device;
	ino_t inode;
	char *path; /* below the target */
	struct copied *next;
};

struct copy {
	int target;
	char path[PATH_MAX]; /* of the directory that is being copied, below the target */
	struct text text;
	struct copied *files;
};

static int copy_tree(struct copy *copy, int from, int to, unsigned depth);

/* Goes one name down; `length` takes back up. */
static size_t enter(struct copy *copy, const char *name)
{
	size_t length = copy->text.length;

	if (length)
		text_add(&copy->text, "/");
	text_add(&copy->text, name);
	return length;
}

static void leave(struct copy *copy, size_t length)
{
	copy->text.length = length;
	copy->path[length] = 0;
}

static int remember(struct copy *copy, const struct stat *info, const char *name)
{
	struct copied *file = malloc(sizeof(*file));
	size_t length = enter(copy, name);

	if (file)
		*file = (struct copied){info->st_dev, info->st_ino, strdup(copy->path), copy->files};
	leave(copy, length);
	if (!file || !file->path) {
		free(file);
		return -ENOMEM;
	}
	copy->files = file;
	return 0;
}

static const char *path_of_copy(const struct copy *copy, const struct stat *info)
{
	for (const struct copied *file = copy->files; file; file = file->next)
		if (file->device == info->st_dev && file->inode == info->st_ino)
			return file->path;
	return NULL;
}

static void forget(struct copy *copy)
{
	while (copy->files) {
		struct copied *next = copy->files->next;

		free(copy->files->path);
		free(copy->files);
		copy->files = next;
	}
}

static int copy_attribute(int source, int target, const char *name)
{
	char value[ATTRIBUTE_BYTES];
	ssize_t length = fgetxattr(source, name, value, sizeof(value));

	if (length < 0)
		return errno == ENODATA ? 0 : -errno;
	if (fsetxattr(target, name, value, (size_t)length, 0) == 0)
		return 0;
	/* A tmpfs before Linux 6.6 has no user.*, and trusted.* are for the host's root. */
	return errno == EOPNOTSUPP || errno == EPERM ? 0 : -errno;
}

/* Of files and directories; others have none that a program could ask for. */
static int copy_attributes(int from, const char *name, int to)
{
	int source CLOSED_AT_END = openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	int target CLOSED_AT_END = openat(to, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char names[ATTRIBUTE_BYTES];
	ssize_t length;
	int error = 0;

	if (source < 0 || target < 0)
		return -errno;
	length = flistxattr(source, names, sizeof(names));
	if (length < 0)
		return errno == EOPNOTSUPP ? 0 : -errno;
	for (ssize_t at = 0; !error && at < length; at += (ssize_t)strlen(names + at) + 1)
		error = copy_attribute(source, target, names + at);
	return error;
}

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

static int copy_subdirectory(struct copy *copy, int from, const char *name, int to, unsigned depth)
{
	int source CLOSED_AT_END = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int target CLOSED_AT_END = -1;
	size_t length;
	int error;

	if (source < 0 || mkdirat(to, name, 0700) < 0)
		return -errno;
	target = openat(to, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (target < 0)
		return -errno;
	length = enter(copy, name);
	error = copy_tree(copy, source, target, depth + 1);
	leave(copy, length);
	return error;
}

static int copy_entry(struct copy *copy, int from, const char *name, int to, unsigned depth)
{
	struct stat info;
	struct timespec times[2];
	const char *first;
	int error;

	if (fstatat(from, name, &info, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	first = S_ISDIR(info.st_mode) || info.st_nlink == 1 ? NULL : path_of_copy(copy, &info);
	if (first)
		return linkat(copy->target, first, to, name, 0) < 0 ? -errno : 0;
	if (S_ISREG(info.st_mode))
		error = copy_file(from, name, to);
	else if (S_ISLNK(info.st_mode))
		error = copy_link(from, name, to);
	else if (S_ISDIR(info.st_mode))
		error = copy_subdirectory(copy, from, name, to, depth);
	else
		error = mknodat(to, name, info.st_mode, info.st_rdev) < 0 ? -errno : 0;
	if (!error && !S_ISDIR(info.st_mode) && info.st_nlink > 1)
		error = remember(copy, &info, name);
	if (error < 0)
		return error;
	times[0] = info.st_atim;
	times[1] = info.st_mtim;
	if (fchownat(to, name, info.st_uid, info.st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	/* After the owner, whose change clears the set-id bits. */
	if (!S_ISLNK(info.st_mode) && fchmodat(to, name, info.st_mode & 07777, 0) < 0)
		return -errno;
	/* Likewise, and capabilities of a file too. */
	error = S_ISREG(info.st_mode) || S_ISDIR(info.st_mode) ? copy_attributes(from, name, to) : 0;
	if (error < 0)
		return error;
	return utimensat(to, name, times, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

static int copy_tree(struct copy *copy, int from, int to, unsigned depth)
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
	while (!error && (errno = 0, entry = readdir(directory)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			error = copy_entry(copy, from, entry->d_name, to, depth);
	if (!error)
		error = -errno; /* what could not be listed is missing in the copy */
	closedir(directory);
	return error;
}

int copy_directory(int from, int to)
{
	struct copy copy = {.target = to};
	struct stat info;
	int error;

	text_start(&copy.text, copy.path, sizeof(copy.path));
	error = copy_tree(&copy, from, to, 0);
	forget(&copy);
	if (error < 0 || fstat(from, &info) < 0)
		return error < 0 ? error : -errno;
	return fchownat(to, "", info.st_uid, info.st_gid, AT_EMPTY_PATH) < 0 ? -errno : 0;
}

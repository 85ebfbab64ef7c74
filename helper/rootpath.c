#include "rootpath.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "system.h"

/* openat2 answers EAGAIN when anything on the machine was renamed or mounted while it went through "..". */
#define RETRIES 4096
#define LINK_DEPTH 40

static int open_beneath(int root, const char *path, uint64_t flags, uint64_t resolve)
{
	int fd = -EAGAIN;

	for (unsigned i = 0; i < RETRIES && fd == -EAGAIN; i++)
		fd = sys_openat2(root, path, flags, 0, resolve);
	return fd;
}

int root_open(int root, const char *path, uint64_t flags, uint64_t extra_resolve)
{
	return open_beneath(root, *path ? path : "/", flags,
			    K_RESOLVE_IN_ROOT | K_RESOLVE_NO_MAGICLINKS | extra_resolve);
}

/* Makes one component below `parent` and opens it; another process may have been quicker. */
static int make_component(int parent, const char *name, enum target_kind kind, const struct ownership *ownership)
{
	int made, fd;

	if (kind == TARGET_FILE)
		made = mknodat(parent, name, S_IFREG | 0644, 0);
	else
		made = mkdirat(parent, name, ownership ? ownership->directory_mode : 0755);
	if (made < 0 && errno != EEXIST)
		return -errno;
	fd = open_beneath(parent, name, O_PATH, K_RESOLVE_BENEATH | K_RESOLVE_NO_SYMLINKS);
	if (fd >= 0 && made == 0 && ownership && ownership->chown &&
	    fchownat(fd, "", ownership->uid, ownership->gid, AT_EMPTY_PATH) < 0) {
		int error = -errno;

		close(fd);
		return error;
	}
	return fd;
}

/*
 * When the component at `start` of `path` is a link that leads nowhere, replaces it by what the link says, so that
 * the link's target can be made. Returns 0, or -errno.
 */
static int expand_link(int parent, char *path, size_t size, size_t start, size_t end)
{
	char link[PATH_MAX], rest[PATH_MAX];
	char saved = path[end];
	ssize_t length;
	size_t keep;

	path[end] = 0;
	length = readlinkat(parent, path + start, link, sizeof(link));
	path[end] = saved;
	if (length < 0)
		return -errno;
	if ((size_t)length == sizeof(link))
		return -ENAMETOOLONG;
	strcpy(rest, path + end);
	keep = length > 0 && link[0] == '/' ? 0 : start;
	if (keep + (size_t)length + strlen(rest) >= size)
		return -ENAMETOOLONG;
	memcpy(path + keep, link, (size_t)length);
	strcpy(path + keep + length, rest);
	return 0;
}

static int open_prefix(int root, char *path, size_t end)
{
	char saved = path[end];
	int fd;

	path[end] = 0;
	fd = root_open(root, path, O_PATH, 0);
	path[end] = saved;
	return fd;
}

static bool is_last_component(const char *path, size_t end)
{
	return path[end + strspn(path + end, "/")] == 0;
}

/*
 * One walk from the root to the end of `path`, making what is missing. Every prefix is resolved from the root
 * again, so links and ".." mean what the kernel says. Returns a descriptor, -errno, or -ELOOP after a link was
 * expanded in `path`: walk again.
 */
static int walk(int root, char *path, size_t size, enum target_kind kind, const struct ownership *ownership)
{
	int parent = root_open(root, "/", O_PATH | O_DIRECTORY, 0);
	size_t start = strspn(path, "/");

	while (parent >= 0 && path[start]) {
		size_t end = start + strcspn(path + start, "/");
		int next = open_prefix(root, path, end);

		if (next == -ENOENT) {
			enum target_kind wanted = is_last_component(path, end) ? kind : TARGET_DIRECTORY;
			char saved = path[end];

			path[end] = 0;
			next = make_component(parent, path + start, wanted, ownership);
			path[end] = saved;
		}
		if (next == -ELOOP) {
			int error = expand_link(parent, path, size, start, end);

			next = error < 0 ? error : -ELOOP;
		}
		close(parent);
		parent = next;
		start = end + strspn(path + end, "/");
	}
	return parent;
}

int root_make(int root, const char *path, enum target_kind kind, const struct ownership *ownership)
{
	char copy[PATH_MAX];
	int fd = root_open(root, path, O_PATH, 0);

	if (fd != -ENOENT)
		return fd;
	if (strlen(path) >= sizeof(copy))
		return -ENAMETOOLONG;
	strcpy(copy, path);
	for (unsigned i = 0; i < LINK_DEPTH; i++) {
		fd = walk(root, copy, sizeof(copy), kind, ownership);
		if (fd != -ELOOP)
			return fd;
	}
	return -ELOOP;
}

int root_parent(int root, const char *path, char *buffer, size_t size, const char **name)
{
	size_t length = strlen(path);
	size_t start;

	while (length && path[length - 1] == '/')
		length--;
	if (length >= size)
		return -ENAMETOOLONG;
	memcpy(buffer, path, length);
	buffer[length] = 0;
	for (start = length; start && buffer[start - 1] != '/'; start--)
		;
	*name = path + start;
	if (!buffer[start] || strcmp(buffer + start, ".") == 0 || strcmp(buffer + start, "..") == 0 ||
	    path[length] != 0)
		return -EINVAL;
	buffer[start] = 0;
	return root_make(root, buffer, TARGET_DIRECTORY, NULL);
}

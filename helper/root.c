/* The container's root: opening it, making it "/", and its attributes. */
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "context.h"
#include "io.h"
#include "mounts.h"
#include "procfs.h"
#include "rootpath.h"
#include "system.h"
#include "text.h"

/* Makes the mount that holds `path` private: the kernel refuses a shared parent mount (pivot_root(2), EINVAL). */
static int make_parent_private(const char *path)
{
	char buffer[4096];
	size_t length = strlen(path);

	if (length >= sizeof(buffer))
		return -ENAMETOOLONG;
	memcpy(buffer, path, length + 1);
	while (mount(NULL, length ? buffer : "/", NULL, MS_PRIVATE, NULL) < 0) {
		if (errno != EINVAL || !length) /* EINVAL: not the root of a mount, try its parent */
			return -errno;
		while (length && buffer[length - 1] != '/')
			length--;
		while (length && buffer[length - 1] == '/')
			length--;
		buffer[length] = 0;
	}
	return 0;
}

int step_open_root(struct context *context, const struct step *step)
{
	struct cursor fields = step_fields(step);
	const char *source = read_string(&fields);
	int error, place CLOSED_AT_END = -1;

	context->null_source = open_null(AT_FDCWD, "/dev/null");
	place = open(source, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (place < 0)
		return fail(context, -errno, source);
	error = make_parent_private(source);
	if (error < 0)
		return fail_on(context, error, "make the parent mount private of", source);
	context->root = sys_open_tree(place, "", AT_EMPTY_PATH | K_OPEN_TREE_CLONE | AT_RECURSIVE);
	if (context->root < 0)
		return fail_on(context, context->root, "open_tree", source);
	error = sys_attach(context->root, place);
	if (error < 0)
		return fail_on(context, error, "move_mount", source);
	context->own_root = true;
	return 0;
}

static int pivot(struct context *context)
{
	int old CLOSED_AT_END = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (old < 0)
		return -errno;
	if (fchdir(context->root) < 0)
		return fail(context, -errno, "chdir to the root");
	if (syscall(SYS_pivot_root, ".", ".") < 0)
		return fail(context, -errno, "pivot_root");
	/* The old root now lies on the new one. Slave first: its unmount must not reach the host. */
	if (fchdir(old) < 0)
		return -errno;
	if (mount(NULL, ".", NULL, MS_SLAVE | MS_REC, NULL) < 0)
		return fail(context, -errno, "make the old root slave");
	if (umount2(".", MNT_DETACH) < 0)
		return fail(context, -errno, "unmount the old root");
	return chdir("/") < 0 ? -errno : 0;
}

/* Hides one mount of procfs or sysfs: with it, the container could reach the host's files. */
static int hide_mount(const char *path)
{
	if (mount(NULL, path, NULL, MS_SLAVE | MS_REC, NULL) < 0)
		return errno == ENOENT || errno == EINVAL ? 0 : -errno;
	if (umount2(path, MNT_DETACH) == 0)
		return 0;
	if (errno != EINVAL && errno != EPERM)
		return -errno;
	/* Locked by an outer user namespace: cover it. */
	return mount("tmpfs", path, "tmpfs", 0, NULL) < 0 ? -errno : 0;
}

/* A path in mountinfo has \040 and the like for white space and backslashes (proc_pid_mountinfo(5)). */
static void decode_octal(char *path)
{
	char *to = path;

	for (; *path; path++) {
		if (path[0] == '\\' && path[1] && path[2] && path[3]) {
			*to++ = (char)((path[1] - '0') << 6 | (path[2] - '0') << 3 | (path[3] - '0'));
			path += 3;
		} else {
			*to++ = *path;
		}
	}
	*to = 0;
}

static bool is_below(const char *path, const char *directory)
{
	size_t length = strlen(directory);

	return strncmp(path, directory, length) == 0 && (path[length] == '/' || !path[length]);
}

/* One line of mountinfo: `36 35 98:0 /root /mount/point options - fstype source super` */
static int hide_line(char *line, const char *root)
{
	char *fields = line;
	char *point, *kind;

	for (int i = 0; i < 4 && fields; i++) {
		fields = strchr(fields, ' ');
		fields = fields ? fields + 1 : NULL;
	}
	point = fields;
	kind = point ? strstr(point, " - ") : NULL;
	if (!kind)
		return 0;
	kind += 3;
	point[strcspn(point, " ")] = 0;
	if (strncmp(kind, "proc ", 5) != 0 && strncmp(kind, "sysfs ", 6) != 0)
		return 0;
	decode_octal(point);
	return is_below(point, root) ? 0 : hide_mount(point);
}

static int hide_host_kernel_files(const char *root)
{
	struct file_content content;
	int error = 0;
	int fd CLOSED_AT_END = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	error = read_to_end(fd, 64u << 20, &content);
	if (error < 0)
		return error;
	for (char *line = (char *)content.bytes, *end; content.length && !error; line = end + 1) {
		end = memchr(line, '\n', content.length - (size_t)(line - (char *)content.bytes));
		if (!end)
			break;
		*end = 0;
		error = hide_line(line, root);
	}
	content_release(&content);
	return error;
}

/* For an initial root file system (rootfs), which can be neither pivoted away nor unmounted. */
static int move_to_root(struct context *context)
{
	char path[4096];
	int error;

	if (fchdir(context->root) < 0 || !getcwd(path, sizeof(path)))
		return -errno;
	error = hide_host_kernel_files(path);
	if (error < 0)
		return fail(context, error, "hide the host's proc and sys");
	if (mount(path, "/", NULL, MS_MOVE, NULL) < 0)
		return fail(context, -errno, "move the root to /");
	if (chroot(".") < 0)
		return fail(context, -errno, "chroot");
	return chdir("/") < 0 ? -errno : 0;
}

/*
 * Whether the new root is that of the whole mount namespace. In a chroot that is itself a mount, pivot_root exchanges
 * only the mount of the chroot: the outer root stays beneath, and whoever enters the namespace (exec) lands in there.
 * Entering one's own namespace goes to its root, as it does for others (setns(2)).
 */
static int require_namespace_root(struct context *context, int namespace)
{
	struct stat wanted, found;

	if (setns(namespace, CLONE_NEWNS) < 0)
		return fail(context, -errno, "enter the own mount namespace");
	if (fstat(context->root, &wanted) < 0 || stat("/", &found) < 0)
		return -errno;
	if (wanted.st_dev != found.st_dev || wanted.st_ino != found.st_ino)
		return fail(context, -EPERM, "the caller's root is a chroot, which would stay reachable");
	return 0;
}

int step_pivot_root(struct context *context, const struct step *step)
{
	struct cursor fields = step_fields(step);
	uint8_t method = read_u8(&fields);
	int namespace CLOSED_AT_END = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	int error;

	if (!context->own_root)
		return fail(context, -EINVAL, "there is no root");
	if (namespace < 0)
		return fail_on(context, -errno, "open", "/proc/self/ns/mnt");
	procfs_remember_host(context);
	error = method == 0 ? pivot(context) : move_to_root(context);
	if (!error)
		error = require_namespace_root(context, namespace);
	if (error < 0)
		return error;
	context->pivoted = true;
	if (context->null_source >= 0)
		close(context->null_source);
	context->null_source = -1;
	return 0;
}

int step_make_root_readonly(struct context *context, const struct step *step)
{
	struct mount_attributes attributes = {.set = K_MOUNT_ATTR_RDONLY};

	(void)step;
	return sys_mount_setattr(context->root, 0, &attributes);
}

#include "procfs.h"

#include <string.h>
#include <sys/vfs.h>

#include "system.h"

static bool is_procfs(int fd)
{
	struct statfs info;

	return fstatfs(fd, &info) == 0 && info.f_type == PROC_MAGIC;
}

static int make_procfs(void)
{
	int fs CLOSED_AT_END = sys_fsopen("proc");
	int error, mount;

	if (fs < 0)
		return fs;
	error = sys_fsconfig(fs, K_FSCONFIG_CMD_CREATE, NULL, NULL);
	if (error < 0)
		return error;
	mount = sys_fsmount(fs, K_MOUNT_ATTR_NOSUID | K_MOUNT_ATTR_NODEV | K_MOUNT_ATTR_NOEXEC);
	if (mount >= 0 && !is_procfs(mount)) {
		close(mount);
		return -ENOTSUP;
	}
	return mount;
}

int procfs_of(struct context *context)
{
	if (context->procfs < 0)
		context->procfs = make_procfs();
	return context->procfs;
}

void procfs_remember_host(struct context *context)
{
	int fd;

	if (procfs_of(context) >= 0)
		return;
	fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && !is_procfs(fd)) {
		close(fd);
		fd = -1;
	}
	context->procfs = fd;
}

int procfs_write(struct context *context, const char *path, const char *value)
{
	int procfs = procfs_of(context);
	int fd CLOSED_AT_END = -1;

	if (procfs < 0)
		return procfs;
	/* "self" is a link, but the only one, and the kernel's own. */
	fd = sys_openat2(procfs, path, O_WRONLY, 0, K_RESOLVE_BENEATH | K_RESOLVE_NO_MAGICLINKS | K_RESOLVE_NO_XDEV);
	if (fd < 0)
		return fd;
	if (!is_procfs(fd))
		return -ENOTSUP;
	return write(fd, value, strlen(value)) < 0 ? -errno : 0;
}

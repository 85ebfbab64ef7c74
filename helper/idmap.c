#include "idmap.h"

#include <signal.h>
#include <sys/wait.h>

#include "io.h"
#include "procfs.h"
#include "system.h"
#include "text.h"

/* A child that does nothing but hold a new user namespace open. */
static pid_t hold_user_namespace(void)
{
	struct clone_arguments arguments = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
	pid_t pid = (pid_t)sys_clone3(&arguments);

	while (pid == 0)
		pause();
	return pid;
}

static int write_map(int procfs, pid_t pid, const char *file, const char *map)
{
	char path[64];
	struct text text = TEXT_IN(path);

	text_add_number(&text, pid);
	text_add(&text, file);
	return write_file_at(procfs, path, 0, map);
}

static int open_namespace(int procfs, pid_t pid)
{
	char path[64];
	struct text text = TEXT_IN(path);
	int fd;

	text_add_number(&text, pid);
	text_add(&text, "/ns/user");
	fd = openat(procfs, path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int idmap_mount(struct context *context, int tree, bool recursive, const char *uid_map, const char *gid_map)
{
	int procfs = procfs_of(context);
	int user CLOSED_AT_END = -1;
	pid_t pid;
	int error;

	if (procfs < 0)
		return procfs;
	pid = hold_user_namespace();
	if (pid < 0)
		return pid;
	error = write_map(procfs, pid, "/uid_map", uid_map);
	if (!error)
		error = write_map(procfs, pid, "/gid_map", gid_map);
	if (!error)
		error = user = open_namespace(procfs, pid);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	if (error >= 0) {
		struct mount_attributes attributes = {.set = K_MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)user};

		error = sys_mount_setattr(tree, recursive ? AT_RECURSIVE : 0, &attributes);
	}
	return error;
}

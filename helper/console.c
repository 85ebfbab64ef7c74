/* The terminal of a container's process. */
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "context.h"
#include "rootpath.h"
#include "system.h"

/* Opens the multiplexer of the container's own devpts, and of nothing else that may lie there. */
static int open_master(int root)
{
	struct statfs system;
	struct stat info;
	int fd = root_open(root, "/dev/pts/ptmx", O_RDWR | O_NOCTTY, K_RESOLVE_NO_SYMLINKS);

	if (fd < 0)
		return fd;
	if (fstatfs(fd, &system) == 0 && system.f_type == DEVPTS_MAGIC && fstat(fd, &info) == 0 &&
	    S_ISCHR(info.st_mode) && info.st_rdev == makedev(5, 2))
		return fd;
	close(fd);
	return -ENODEV;
}

/* /dev/console is the slave itself, from its descriptor, never by a path in the container (CVE-2025-52565). */
static int bind_console(struct context *context, int slave)
{
	int place CLOSED_AT_END = root_make(context->root, "/dev/console", TARGET_FILE, NULL);
	int tree CLOSED_AT_END = -1;

	if (place < 0)
		return place;
	tree = sys_open_tree(slave, "", AT_EMPTY_PATH | K_OPEN_TREE_CLONE);
	return tree < 0 ? tree : sys_attach(tree, place);
}

static int become_stdio(int slave)
{
	/* A session leader already when there was a new-session step. */
	if (setsid() < 0 && getsid(0) != getpid())
		return -errno;
	if (ioctl(slave, TIOCSCTTY, 0) < 0)
		return -errno;
	for (int fd = 0; fd <= 2; fd++)
		if (dup2(slave, fd) < 0)
			return -errno;
	return 0;
}

int step_console(struct context *context, const struct step *step)
{
	struct cursor fields = step_fields(step);
	struct winsize size = {.ws_row = (unsigned short)read_number(&fields)};
	int master CLOSED_AT_END = open_master(context->root);
	int slave CLOSED_AT_END = -1;
	int unlocked = 0, error;

	size.ws_col = (unsigned short)read_number(&fields);
	if (master < 0)
		return fail(context, master, "/dev/pts/ptmx");
	if (ioctl(master, TIOCSPTLCK, &unlocked) < 0)
		return fail(context, -errno, "unlock the pty");
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return fail(context, -errno, "open the pty's slave");
	if (size.ws_row && size.ws_col && ioctl(master, TIOCSWINSZ, &size) < 0)
		return fail(context, -errno, "set the size of the pty");
	/* An exec'd process has a terminal too, but /dev/console stays that of process 1. */
	error = context->own_root ? bind_console(context, slave) : 0;
	if (error < 0)
		return fail(context, error, "/dev/console");
	error = become_stdio(slave);
	if (error < 0)
		return fail(context, error, "take the controlling terminal");
	return sync_send_fd(context->sync, SYNC_CONSOLE, master);
}

/*
 * System calls, structures and constants which musl's headers lack (they know nothing of linux/...).
 * Everything here is in Linux 5.15, on x86_64 and aarch64.
 *
 * Names that glibc has as well, now or one day, begin with K_. The wrappers return the result, or -errno.
 */
#ifndef GANTRY_SYSTEM_H
#define GANTRY_SYSTEM_H

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

/* System calls since 5.1 have one number on every architecture but alpha. */
#define NR_PIDFD_SEND_SIGNAL 424
#define NR_OPEN_TREE 428
#define NR_MOVE_MOUNT 429
#define NR_FSOPEN 430
#define NR_FSCONFIG 431
#define NR_FSMOUNT 432
#define NR_PIDFD_OPEN 434
#define NR_CLONE3 435
#define NR_CLOSE_RANGE 436
#define NR_OPENAT2 437
#define NR_PIDFD_GETFD 438
#define NR_MOUNT_SETATTR 442

/* clone3(2) */
struct clone_arguments {
	uint64_t flags;
	uint64_t pidfd;
	uint64_t child_tid;
	uint64_t parent_tid;
	uint64_t exit_signal;
	uint64_t stack;
	uint64_t stack_size;
	uint64_t tls;
	uint64_t set_tid;
	uint64_t set_tid_size;
	uint64_t cgroup;
};
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif
#ifndef CLONE_NEWCGROUP
#define CLONE_NEWCGROUP 0x02000000
#endif
#define CLONE_INTO_CGROUP_FLAG 0x200000000ull

/* openat2(2) */
struct open_how_arguments {
	uint64_t flags;
	uint64_t mode;
	uint64_t resolve;
};
#define K_RESOLVE_NO_XDEV 0x01
#define K_RESOLVE_NO_MAGICLINKS 0x02
#define K_RESOLVE_NO_SYMLINKS 0x04
#define K_RESOLVE_BENEATH 0x08
#define K_RESOLVE_IN_ROOT 0x10

/* The mount API: open_tree(2), move_mount(2), fsopen(2), mount_setattr(2) */
struct mount_attributes {
	uint64_t set;
	uint64_t clear;
	uint64_t propagation;
	uint64_t userns_fd;
};
#define K_OPEN_TREE_CLONE 1
#define K_OPEN_TREE_CLOEXEC O_CLOEXEC
#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif
#define K_MOVE_MOUNT_F_EMPTY_PATH 0x04
#define K_MOVE_MOUNT_T_EMPTY_PATH 0x40
#define K_FSOPEN_CLOEXEC 1
#define K_FSMOUNT_CLOEXEC 1
#define K_FSCONFIG_SET_FLAG 0
#define K_FSCONFIG_SET_STRING 1
#define K_FSCONFIG_CMD_CREATE 6
#define K_MOUNT_ATTR_RDONLY 0x01
#define K_MOUNT_ATTR_NOSUID 0x02
#define K_MOUNT_ATTR_NODEV 0x04
#define K_MOUNT_ATTR_NOEXEC 0x08
#define K_MOUNT_ATTR_ATIME_MASK 0x70
#define K_MOUNT_ATTR_NOATIME 0x10
#define K_MOUNT_ATTR_STRICTATIME 0x20
#define K_MOUNT_ATTR_NODIRATIME 0x80
#define K_MOUNT_ATTR_IDMAP 0x00100000

#define CLOSE_RANGE_CLOEXEC_FLAG 4

/* statfs(2) */
#define CGROUP2_MAGIC 0x63677270
#define PROC_MAGIC 0x9fa0
#define DEVPTS_MAGIC 0x1cd1

#ifndef TIOCGPTPEER
#define TIOCGPTPEER 0x5441
#endif

static inline long result_of(long value)
{
	return value < 0 ? -errno : value;
}

static inline long sys_clone3(const struct clone_arguments *arguments)
{
	return result_of(syscall(NR_CLONE3, arguments, sizeof(*arguments)));
}

static inline int sys_openat2(int dir, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve)
{
	struct open_how_arguments how = {flags | O_CLOEXEC, mode, resolve};

	return (int)result_of(syscall(NR_OPENAT2, dir, path, &how, sizeof(how)));
}

static inline int sys_open_tree(int dir, const char *path, unsigned flags)
{
	return (int)result_of(syscall(NR_OPEN_TREE, dir, path, flags | K_OPEN_TREE_CLOEXEC));
}

/* Attaches the mount `tree` to the place that `target` refers to; neither is looked up by name again. */
static inline int sys_attach(int tree, int target)
{
	return (int)result_of(syscall(NR_MOVE_MOUNT, tree, "", target, "",
				      K_MOVE_MOUNT_F_EMPTY_PATH | K_MOVE_MOUNT_T_EMPTY_PATH));
}

static inline int sys_fsopen(const char *fstype)
{
	return (int)result_of(syscall(NR_FSOPEN, fstype, K_FSOPEN_CLOEXEC));
}

static inline int sys_fsconfig(int fs, unsigned command, const char *key, const char *value)
{
	return (int)result_of(syscall(NR_FSCONFIG, fs, command, key, value, 0));
}

static inline int sys_fsmount(int fs, unsigned attributes)
{
	return (int)result_of(syscall(NR_FSMOUNT, fs, K_FSMOUNT_CLOEXEC, attributes));
}

static inline int sys_mount_setattr(int mount, unsigned flags, const struct mount_attributes *attributes)
{
	return (int)result_of(syscall(NR_MOUNT_SETATTR, mount, "", flags | AT_EMPTY_PATH, attributes,
				      sizeof(*attributes)));
}

static inline int sys_close_range(unsigned first, unsigned last, unsigned flags)
{
	return (int)result_of(syscall(NR_CLOSE_RANGE, first, last, flags));
}

static inline int sys_pidfd_open(pid_t pid)
{
	return (int)result_of(syscall(NR_PIDFD_OPEN, pid, 0));
}

static inline int sys_pidfd_getfd(int pidfd, int fd)
{
	return (int)result_of(syscall(NR_PIDFD_GETFD, pidfd, fd, 0));
}

/* Closes a descriptor at the end of its scope: `int fd CLOSED_AT_END = -1;` */
static inline void close_at_end(int *fd)
{
	if (*fd >= 0) {
		int saved = errno;

		close(*fd);
		errno = saved;
	}
}
#define CLOSED_AT_END __attribute__((cleanup(close_at_end)))

/*
 * _exit() for a process whose seccomp filter may refuse even that, with an errno: the C library would ask again and again, for ever.
 * The trap is a fault that ends the first process of a pid namespace, too.
 */
static inline _Noreturn void end_filtered(int code)
{
	syscall(SYS_exit_group, code);
	syscall(SYS_exit, code);
	__builtin_trap();
}

#endif

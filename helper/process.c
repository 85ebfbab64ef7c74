/* Attributes of the process that need no privilege of their own file: limits, scheduling, directory, labels. */
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "context.h"
#include "procfs.h"
#include "rootpath.h"
#include "system.h"
#include "text.h"

#define KEYCTL_JOIN_SESSION_KEYRING 1
#define KEYCTL_SETPERM 5
#define KEYCTL_DESCRIBE 6
#define KEY_USR_SEARCH 0x00080000u
#define IOPRIO_WHO_PROCESS 1
#define IOPRIO_CLASS_SHIFT 13
#define MEMORY_NODES 1024 /* the most that a kernel can be built for */

struct scheduler_attributes {
	uint32_t size;
	uint32_t policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime;
	uint64_t deadline;
	uint64_t period;
};

int step_new_session(struct context *context, const struct step *step)
{
	(void)context;
	(void)step;
	/* With a console, the process leads a session already. */
	return setsid() < 0 && getsid(0) != getpid() ? -errno : 0;
}

/* The permissions of a key: the hexadecimal field in "keyring;0;0;3f3f0000;_ses". -1 when unreadable. */
static int64_t keyring_permissions(long key)
{
	char description[256];
	char *field = description;
	long length = syscall(SYS_keyctl, KEYCTL_DESCRIBE, key, description, sizeof(description) - 1);

	if (length < 0)
		return -1;
	description[length < (long)sizeof(description) ? length : (long)sizeof(description) - 1] = 0;
	for (int i = 0; i < 3 && field; i++) {
		field = strchr(field, ';');
		field = field ? field + 1 : NULL;
	}
	return field ? (int64_t)strtoul(field, NULL, 16) : -1;
}

int step_new_keyring(struct context *context, const struct step *step)
{
	struct cursor fields = step_fields(step);
	const char *name = read_string(&fields);
	bool required = read_u8(&fields);
	long key = syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name);
	int64_t permissions;

	(void)context;
	if (key < 0)
		return required ? -errno : 0;
	/* Other processes of the same user may search it, as runc has it. */
	permissions = keyring_permissions(key);
	if (permissions >= 0 && syscall(SYS_keyctl, KEYCTL_SETPERM, key, permissions | KEY_USR_SEARCH) < 0)
		return required ? -errno : 0;
	return 0;
}

int step_set_oom_score(struct context *context, const struct step *step)
{
	struct cursor fields = step_fields(step);
	char value[24];
	struct text text = TEXT_IN(value);

	/* In a user namespace /proc/self belongs to the host's root; the monitor has written it (clone.c). */
	if (context->new_user_namespace)
		return 0;
	text_add_number(&text, read_number(&fields));
	return procfs_write(context, "self/oom_score_adj", value);
}

int step_set_rlimit(struct context *context, const struct step *step)
{
	struct cursor fields = step_fields(step);
	int resource = (int)read_number(&fields);
	const char *name = read_string(&fields);
	struct rlimit limit = {.rlim_cur = read_u64(&fields)};

	limit.rlim_max = read_u64(&fields);
	return setrlimit(resource, &limit) < 0 ? fail(context, -errno, name) : 0;
}

int step_set_personality(struct context *context, const struct step *step)
{
	struct cursor fields = step_fields(step);

	(void)context;
	return personality((unsigned long)read_number(&fields)) < 0 ? -errno : 0;
}

int step_set_scheduler(struct context *context, const struct step *step)
{
	struct cursor fields = step_fields(step);
	struct scheduler_attributes attributes = {.size = sizeof(attributes)};

	(void)context;
	attributes.policy = (uint32_t)read_number(&fields);
	attributes.flags = (uint64_t)read_number(&fields);
	attributes.nice = (int32_t)read_number(&fields);
	attributes.priority = (uint32_t)read_number(&fields);
	attributes.runtime = read_u64(&fields);
	attributes.deadline = read_u64(&fields);
	attributes.period = read_u64(&fields);
	return syscall(SYS_sched_setattr, 0, &attributes, 0) < 0 ? -errno : 0;
}

int step_set_io_priority(struct context *context, const struct step *step)
{
	struct cursor fields = step_fields(step);
	int64_t class = read_number(&fields);
	int64_t level = read_number(&fields);

	(void)context;
	return syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, class << IOPRIO_CLASS_SHIFT | level) < 0 ? -errno : 0;
}

int step_set_cpu_affinity(struct context *context, const struct step *step)
{
	struct cursor fields = step_fields(step);
	struct slice mask = read_bytes(&fields);

	(void)context;
	return syscall(SYS_sched_setaffinity, 0, (size_t)mask.length, mask.bytes) < 0 ? -errno : 0;
}

int step_set_memory_policy(struct context *context, const struct step *step)
{
	struct cursor fields = step_fields(step);
	long mode = (long)read_number(&fields);
	struct slice nodes = read_bytes(&fields);
	unsigned long mask[MEMORY_NODES / (8 * sizeof(unsigned long))] = {0};

	(void)context;
	if (nodes.length > sizeof(mask))
		return -EINVAL;
	memcpy(mask, nodes.bytes, nodes.length);
	/* The kernel reads one bit less than it is told. */
	return syscall(SYS_set_mempolicy, mode, nodes.length ? mask : NULL, nodes.length * 8 + 1) < 0 ? -errno : 0;
}

int step_set_security_label(struct context *context, const struct step *step)
{
	struct cursor fields = step_fields(step);
	const char *file = read_string(&fields);
	const char *label = read_string(&fields);
	char path[PATH_MAX];
	struct text text = TEXT_IN(path);
	int error;

	text_add(&text, "self/attr/");
	text_add(&text, file);
	error = procfs_write(context, path, label);
	return error < 0 ? fail(context, error, label) : 0;
}

int step_set_umask(struct context *context, const struct step *step)
{
	struct cursor fields = step_fields(step);

	context->umask = (mode_t)read_number(&fields) & 0777;
	umask(context->umask);
	return 0;
}

/*
 * The kernel's getcwd gives "(unreachable)…" for a directory outside the root: a descriptor that had leaked in
 * could have brought the process there (CVE-2024-21626).
 */
static int check_inside_root(void)
{
	char path[PATH_MAX];
	long length = syscall(SYS_getcwd, path, sizeof(path));

	if (length < 0)
		return -errno;
	return path[0] == '/' ? 0 : -EXDEV;
}

int step_change_directory(struct context *context, const struct step *step)
{
	struct cursor fields = step_fields(step);
	const char *path = read_string(&fields);
	int directory CLOSED_AT_END = root_open(context->root, path, O_PATH | O_DIRECTORY, 0);
	int error;

	if (directory < 0)
		return fail(context, directory, path);
	if (fchdir(directory) < 0)
		return fail(context, -errno, path);
	error = check_inside_root();
	return error < 0 ? fail_on(context, error, "outside of the root:", path) : 0;
}

int step_make_directory(struct context *context, const struct step *step)
{
	struct cursor fields = step_fields(step);
	const char *path = read_string(&fields);
	struct ownership ownership = {.directory_mode = (mode_t)read_number(&fields) & 07777, .chown = true};
	mode_t before;
	struct stat info;
	int directory CLOSED_AT_END = -1;

	ownership.uid = (uid_t)read_number(&fields);
	ownership.gid = (gid_t)read_number(&fields);
	before = umask(0);
	directory = root_make(context->root, path, TARGET_DIRECTORY, &ownership);
	umask(before);
	if (directory < 0)
		return fail(context, directory, path);
	if (fstat(directory, &info) < 0)
		return -errno;
	return S_ISDIR(info.st_mode) ? 0 : fail(context, -ENOTDIR, path);
}

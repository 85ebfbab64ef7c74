/* User, capabilities, filter: what takes rights away from the process. */
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "context.h"
#include "exec.h"
#include "system.h"

#define CAPABILITY_VERSION_3 0x20080522u
#define GROUPS_MAX 65536u
#define SECCOMP_SET_MODE_FILTER 1
#define SECCOMP_FILTER_FLAG_NEW_LISTENER (1u << 3)

#ifndef PR_CAP_AMBIENT
#define PR_CAP_AMBIENT 47
#define PR_CAP_AMBIENT_RAISE 2
#define PR_CAP_AMBIENT_CLEAR_ALL 4
#endif

struct capability_header {
	uint32_t version;
	int32_t pid;
};

struct capability_words {
	uint32_t effective;
	uint32_t permitted;
	uint32_t inheritable;
};

struct filter_program {
	unsigned short length;
	const void *instructions;
};

int step_set_bounding(struct context *context, const struct step *step)
{
	struct cursor fields = step_fields(step);
	uint64_t mask = read_u64(&fields);

	(void)context;
	for (unsigned capability = 0; capability < 64; capability++) {
		if (mask >> capability & 1)
			continue;
		if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0)
			continue;
		return errno == EINVAL && capability ? 0 : -errno; /* EINVAL: behind the last one of this kernel */
	}
	return 0;
}

/* The container's user owns its stdio, as with runc; what cannot be given away stays as it is. */
static int own_stdio(uid_t uid)
{
	for (int fd = 0; fd <= 2; fd++) {
		struct stat info;

		if (fstat(fd, &info) < 0 || info.st_uid == uid)
			continue;
		if (S_ISCHR(info.st_mode) && info.st_rdev == makedev(1, 3))
			continue;
		if (fchown(fd, uid, (gid_t)-1) < 0 && errno != EINVAL && errno != EPERM && errno != EROFS &&
		    errno != ENOSYS)
			return -errno;
	}
	return 0;
}

/*
 * Calls the kernel itself: the C library's setuid family signals every thread, and there is only this one.
 */
static int set_groups(struct cursor *fields)
{
	uint32_t count = read_u32(fields);
	gid_t *groups;
	int error = 0;

	if (count > GROUPS_MAX)
		return -EINVAL;
	groups = malloc((count + 1) * sizeof(*groups));
	if (!groups)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++)
		groups[i] = (gid_t)read_number(fields);
	if (syscall(SYS_setgroups, (size_t)count, groups) < 0)
		error = -errno;
	free(groups);
	/* "deny" in /proc/self/setgroups of an unprivileged user namespace: nothing was asked for, nothing is lost. */
	return count == 0 && error == -EPERM ? 0 : error;
}

int step_set_user(struct context *context, const struct step *step)
{
	struct cursor fields = step_fields(step);
	uint64_t user = read_number(&fields);
	uint64_t group = read_number(&fields);
	uid_t uid = (uid_t)user;
	gid_t gid = (gid_t)group;
	int error;

	/* -1 would leave root what it is, and what is larger would be cut to who knows whom. */
	if (user >= UINT32_MAX || group >= UINT32_MAX)
		return fail(context, -EINVAL, "user id out of range");
	error = own_stdio(uid);
	if (error < 0)
		return fail(context, error, "owner of stdio");
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return -errno;
	error = set_groups(&fields);
	if (error < 0)
		return fail(context, error, "setgroups");
	if (syscall(SYS_setresgid, gid, gid, gid) < 0)
		return fail(context, -errno, "setgid");
	if (syscall(SYS_setresuid, uid, uid, uid) < 0)
		return fail(context, -errno, "setuid");
	return 0;
}

static int raise_ambient(uint64_t mask)
{
	/* EINVAL: a kernel without ambient capabilities cannot have any set either. */
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && (errno != EINVAL || mask))
		return -errno;
	for (unsigned capability = 0; capability < 64; capability++)
		if (mask >> capability & 1 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) < 0)
			return -errno;
	return 0;
}

int step_set_capabilities(struct context *context, const struct step *step)
{
	struct cursor fields = step_fields(step);
	uint64_t effective = read_u64(&fields);
	uint64_t permitted = read_u64(&fields);
	uint64_t inheritable = read_u64(&fields);
	uint64_t ambient = read_u64(&fields);
	struct capability_header header = {CAPABILITY_VERSION_3, 0};
	struct capability_words words[2] = {
		{(uint32_t)effective, (uint32_t)permitted, (uint32_t)inheritable},
		{(uint32_t)(effective >> 32), (uint32_t)(permitted >> 32), (uint32_t)(inheritable >> 32)},
	};
	int error;

	if (syscall(SYS_capset, &header, words) < 0)
		return -errno;
	error = raise_ambient(ambient);
	return error < 0 ? fail(context, error, "ambient") : 0;
}

int step_no_new_privileges(struct context *context, const struct step *step)
{
	(void)context;
	(void)step;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

/*
 * The monitor fetches the listener out of this process (pidfd_getfd) and passes it on: a message with a descriptor
 * could be trapped by the very filter whose listener nobody has yet. A plain write cannot be, or nothing works.
 */
static int hand_over_listener(struct context *context, const struct step *step, int listener)
{
	int error = ask_monitor(context, SYNC_LISTENER, step, (uint32_t)listener);

	close(listener);
	return error;
}

int step_load_seccomp(struct context *context, const struct step *step)
{
	struct cursor fields = step_fields(step);
	struct slice program = read_bytes(&fields);
	unsigned flags = (unsigned)read_number(&fields);
	bool listens = read_u8(&fields);
	struct filter_program filter = {(unsigned short)(program.length / 8), program.bytes};
	void *aligned;
	long result;
	int error;

	if (program.length % 8 || program.length / 8 > 4096 || !program.length)
		return fail(context, -EINVAL, "length of the program");
	/* The filter may forbid what sealing needs. */
	error = seal_for_exec(context);
	if (error < 0)
		return error;
	aligned = malloc(program.length);
	if (!aligned)
		return -ENOMEM;
	memcpy(aligned, program.bytes, program.length);
	filter.instructions = aligned;
	if (listens) {
		flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
		/* An unprivileged monitor may look into what is dumpable only; nobody else is there to do so. */
		if (context->alone && prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0)
			return -errno;
	}
	result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &filter);
	if (result < 0)
		return -errno;
	/* No free() from here on: the filter may forbid munmap. */
	return listens ? hand_over_listener(context, step, (int)result) : 0;
}

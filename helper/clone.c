#include "clone.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "context.h"
#include "exec.h"
#include "io.h"
#include "maptool.h"
#include "message.h"
#include "mounts.h"
#include "procfs.h"
#include "rootpath.h"
#include "signals.h"
#include "system.h"
#include "text.h"

#define DEFAULT_UMASK 022
#define SYNC_FD 3 /* in a process that closed everything else */

static const uint64_t namespace_flags[NAMESPACE_COUNT] = {
	[NAMESPACE_MOUNT] = CLONE_NEWNS,	[NAMESPACE_PID] = CLONE_NEWPID,
	[NAMESPACE_NETWORK] = CLONE_NEWNET, [NAMESPACE_IPC] = CLONE_NEWIPC,
	[NAMESPACE_UTS] = CLONE_NEWUTS,	[NAMESPACE_USER] = CLONE_NEWUSER,
	[NAMESPACE_CGROUP] = CLONE_NEWCGROUP, [NAMESPACE_TIME] = CLONE_NEWTIME,
};

/* What the clone phase of a plan comes down to. */
struct clone_work {
	const struct plan *plan;
	struct failure *failure;
	uint64_t new_namespaces; /* CLONE_NEW* */
	uint64_t joined;	 /* CLONE_NEW* */
	uint32_t clone_index;
	uint32_t cgroup_index;
	bool joins_cgroups;
	bool unshares_cgroup;
	uint32_t unshare_index;
	bool has_offsets;
	bool has_container_hooks;
	unsigned preserved_fds;
	int cgroup; /* v2: clone3 puts the process there; -1 */
	/*
	 * A cgroup namespace that an intermediate process leaves to the container's; -1. From inside, with the mount option
	 * nsdelegate (cgroup_namespaces(7)), nobody is moved from a cgroup that cannot be seen there.
	 */
	int cgroup_namespace;
	uint32_t cgroup_namespace_index;
	/*
	 * A process between the monitor and the container's: what joins a pid or user namespace does so for its children;
	 * and a new user namespace has no right to join others.
	 */
	bool intermediate;
};

/* Without a detail, the one that stands there already is kept. */
static int fail_at(struct clone_work *work, uint32_t index, int error, const char *detail)
{
	struct text text;

	work->failure->step = index;
	work->failure->error = -error;
	if (!detail)
		return error;
	text_start(&text, work->failure->detail, sizeof(work->failure->detail));
	text_add(&text, detail);
	return error;
}

static void note_step(struct clone_work *work, const struct step *step)
{
	struct cursor fields = step_fields(step);

	switch (step->opcode) {
	case OP_JOIN_NAMESPACE:
		work->joined |= namespace_flags[read_u8(&fields)];
		break;
	case OP_CLONE:
		work->clone_index = step->index;
		for (uint32_t count = read_u32(&fields); count; count--)
			work->new_namespaces |= namespace_flags[read_u8(&fields)];
		break;
	case OP_WRITE_TIME_OFFSET:
		work->has_offsets = true;
		break;
	case OP_JOIN_CGROUP:
		work->joins_cgroups = true;
		break;
	case OP_UNSHARE_CGROUP:
		work->unshares_cgroup = true;
		work->unshare_index = step->index;
		break;
	case OP_HOOK:
		work->has_container_hooks = true;
		break;
	case OP_EXEC:
		read_strings(&fields);
		read_strings(&fields);
		work->preserved_fds = (unsigned)read_number(&fields);
		break;
	}
}

static struct clone_work read_work(const struct plan *plan, struct failure *failure)
{
	struct clone_work work = {.plan = plan, .failure = failure, .cgroup = -1, .cgroup_namespace = -1};
	struct plan_position position;
	struct step step;

	plan_start(plan, &position);
	while (plan_next(&position, &step))
		note_step(&work, &step);
	work.intermediate = (work.joined & (CLONE_NEWPID | CLONE_NEWUSER | CLONE_NEWTIME)) ||
			    (work.joined && (work.new_namespaces & CLONE_NEWUSER));
	return work;
}

static bool in_user_namespace(const struct clone_work *work)
{
	return (work->new_namespaces | work->joined) & CLONE_NEWUSER;
}

/* cgroups ----------------------------------------------------------------------------------------------------- */

/* Opens the directory of a procs file if it is a cgroup of version 2, else -1. */
static int open_cgroup2(const char *procs_file)
{
	char path[4096];
	const char *slash = strrchr(procs_file, '/');
	size_t length = slash ? (size_t)(slash - procs_file) : 0;
	struct statfs info;
	int fd;

	if (!length || length >= sizeof(path))
		return -1;
	memcpy(path, procs_file, length);
	path[length] = 0;
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && fstatfs(fd, &info) == 0 && info.f_type == CGROUP2_MAGIC)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

/* The version 2 cgroup of the plan, if any: a new process starts in it, which costs no migration. */
static void find_cgroup2(struct clone_work *work)
{
	struct plan_position position;
	struct step step;

	if (!work->joins_cgroups)
		return;
	plan_start(work->plan, &position);
	while (work->cgroup < 0 && plan_next(&position, &step)) {
		struct cursor fields = step_fields(&step);

		if (step.opcode != OP_JOIN_CGROUP)
			continue;
		work->cgroup = open_cgroup2(read_string(&fields));
		work->cgroup_index = step.index;
	}
}

/* Writes `pid` ("0": the writer) into every other cgroup of the plan. */
static int join_cgroups(struct clone_work *work, const char *pid)
{
	struct plan_position position;
	struct step step;

	if (!work->joins_cgroups)
		return 0;
	plan_start(work->plan, &position);
	while (plan_next(&position, &step)) {
		struct cursor fields = step_fields(&step);
		const char *file;
		int error;

		if (step.opcode != OP_JOIN_CGROUP || (work->cgroup >= 0 && step.index == work->cgroup_index))
			continue;
		file = read_string(&fields);
		error = write_file_at(AT_FDCWD, file, 0, pid);
		if (error < 0)
			return fail_at(work, step.index, error, file);
	}
	return 0;
}

/* namespaces -------------------------------------------------------------------------------------------------- */

struct opened_namespace {
	int fd;
	uint32_t index;
	uint64_t flag;
};

/* All are opened before the first is joined: a joined mount namespace has other paths. */
static int open_namespaces(struct clone_work *work, struct opened_namespace *opened, unsigned *count)
{
	struct plan_position position;
	struct step step;

	*count = 0;
	plan_start(work->plan, &position);
	while (plan_next(&position, &step)) {
		struct cursor fields = step_fields(&step);
		uint8_t kind;
		const char *path;

		if (step.opcode != OP_JOIN_NAMESPACE)
			continue;
		kind = read_u8(&fields);
		path = read_string(&fields);
		if (*count == NAMESPACE_COUNT)
			return fail_at(work, step.index, -EINVAL, path);
		opened[*count].fd = open(path, O_RDONLY | O_CLOEXEC);
		if (opened[*count].fd < 0)
			return fail_at(work, step.index, -errno, path);
		opened[*count].index = step.index;
		opened[*count].flag = namespace_flags[kind];
		(*count)++;
	}
	return 0;
}

static int join_namespaces(struct clone_work *work)
{
	struct opened_namespace opened[NAMESPACE_COUNT];
	unsigned count;
	int error;

	if (!work->joined)
		return 0;
	error = open_namespaces(work, opened, &count);
	for (unsigned i = 0; i < count; i++) {
		if (work->intermediate && opened[i].flag == CLONE_NEWCGROUP) {
			work->cgroup_namespace = opened[i].fd;
			work->cgroup_namespace_index = opened[i].index;
			continue;
		}
		if (!error && setns(opened[i].fd, (int)opened[i].flag) < 0)
			error = fail_at(work, opened[i].index, -errno, "setns");
		close(opened[i].fd);
	}
	return error;
}

static int join_cgroup_namespace(struct clone_work *work)
{
	int error = 0;

	if (work->cgroup_namespace < 0)
		return 0;
	if (setns(work->cgroup_namespace, CLONE_NEWCGROUP) < 0)
		error = fail_at(work, work->cgroup_namespace_index, -errno, "setns");
	close(work->cgroup_namespace);
	work->cgroup_namespace = -1;
	return error;
}

/*
 * A time namespace takes its offsets only before the first process is in it, and from one that has rights in its user
 * namespace (time_namespaces(7)): the container's process makes it, sets it, and enters it.
 */
static int enter_time_namespace(struct clone_work *work)
{
	static const char *const clocks[] = {"monotonic ", "boottime "};
	struct plan_position position;
	int fd CLOSED_AT_END = -1;
	struct step step;

	if (unshare(CLONE_NEWTIME) < 0)
		return fail_at(work, work->clone_index, -errno, "time namespace");
	plan_start(work->plan, &position);
	while (plan_next(&position, &step)) {
		struct cursor fields = step_fields(&step);
		char line[96];
		struct text text = TEXT_IN(line);
		int error;

		if (step.opcode != OP_WRITE_TIME_OFFSET)
			continue;
		text_add(&text, clocks[read_u8(&fields)]);
		text_add_number(&text, read_number(&fields));
		text_add(&text, " ");
		text_add_number(&text, read_number(&fields));
		error = write_file_at(AT_FDCWD, "/proc/self/timens_offsets", 0, line);
		if (error < 0)
			return fail_at(work, step.index, error, line);
	}
	fd = open("/proc/self/ns/time_for_children", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWTIME) < 0)
		return fail_at(work, work->clone_index, -errno, "time namespace");
	return 0;
}

static int write_oom_score(struct clone_work *work, const char *process)
{
	char path[64], value[24];
	struct text file = TEXT_IN(path), text = TEXT_IN(value);
	struct cursor fields;
	struct step step;
	int error;

	if (!plan_find(work->plan, OP_SET_OOM_SCORE, &step))
		return 0;
	fields = step_fields(&step);
	text_add(&file, "/proc/");
	text_add(&file, process);
	text_add(&file, "/oom_score_adj");
	text_add_number(&text, read_number(&fields));
	error = write_file_at(AT_FDCWD, path, 0, value);
	return error < 0 ? fail_at(work, step.index, error, "") : 0;
}

/*
 * Hard limits above the monitor's own: in a user namespace no right is left that could raise them, so that it is done from
 * outside, for `pid` (0: the caller). The steps themselves lower what they have to.
 */
static int raise_limits(struct clone_work *work, pid_t pid)
{
	struct plan_position position;
	struct step step;

	plan_start(work->plan, &position);
	while (plan_next(&position, &step)) {
		struct cursor fields = step_fields(&step);
		struct rlimit wanted, own;
		int resource;

		if (step.opcode != OP_SET_RLIMIT)
			continue;
		resource = (int)read_number(&fields);
		read_string(&fields);
		wanted.rlim_cur = read_u64(&fields);
		wanted.rlim_max = read_u64(&fields);
		if (prlimit(pid, resource, NULL, &own) < 0)
			return fail_at(work, step.index, -errno, "prlimit");
		if (wanted.rlim_max <= own.rlim_max)
			continue;
		own.rlim_max = wanted.rlim_max;
		if (prlimit(pid, resource, &own, NULL) < 0)
			return fail_at(work, step.index, -errno, "prlimit");
	}
	return 0;
}

/* the monitor's part ------------------------------------------------------------------------------------------ */

static int write_id_map(const char *process, uint8_t kind, const char *map)
{
	char path[64], deny[64];
	struct text file = TEXT_IN(path), groups = TEXT_IN(deny);
	int error;

	text_add(&file, "/proc/");
	text_add(&file, process);
	text_add(&file, kind ? "/gid_map" : "/uid_map");
	error = write_file_at(AT_FDCWD, path, 0, map);
	if (error != -EPERM || !kind)
		return error;
	/* Without privileges a gid map is only taken once setgroups is denied (user_namespaces(7)). */
	text_add(&groups, "/proc/");
	text_add(&groups, process);
	text_add(&groups, "/setgroups");
	error = write_file_at(AT_FDCWD, deny, 0, "deny");
	return error < 0 ? error : write_file_at(AT_FDCWD, path, 0, map);
}

static int write_id_maps(struct clone_work *work, const char *process)
{
	struct plan_position position;
	struct step step;

	plan_start(work->plan, &position);
	while (plan_next(&position, &step)) {
		struct cursor fields = step_fields(&step);
		uint8_t kind;
		const char *map;
		int error;

		if (step.opcode != OP_WRITE_ID_MAP)
			continue;
		kind = read_u8(&fields);
		map = read_string(&fields);
		if (read_u8(&fields)) {
			error = run_map_tool(read_string(&fields), process, map, work->failure);
			if (error < 0)
				return fail_at(work, step.index, error, NULL);
			continue;
		}
		error = write_id_map(process, kind, map);
		if (error < 0)
			return fail_at(work, step.index, error, "");
	}
	return 0;
}

int finish_clone(const struct plan *plan, pid_t pid, int sync, struct failure *failure)
{
	struct clone_work work = read_work(plan, failure);
	char process[24];
	struct text text = TEXT_IN(process);
	int error;

	if (!(work.new_namespaces & CLONE_NEWUSER))
		return 0;
	text_add_number(&text, pid);
	error = write_id_maps(&work, process);
	if (!error && !work.intermediate) {
		find_cgroup2(&work);
		error = join_cgroups(&work, process);
		if (work.cgroup >= 0)
			close(work.cgroup);
	}
	if (!error)
		error = write_oom_score(&work, process);
	if (!error && !work.intermediate)
		error = raise_limits(&work, pid);
	return error ? error : sync_send(sync, SYNC_MAPPED);
}

/* the new process --------------------------------------------------------------------------------------------- */

/* Returns the descriptor that `sync` has from here on. */
static int arrange_descriptors(const struct preparation *preparation, const struct clone_work *work, int sync)
{
	for (int fd = 0; fd <= 2; fd++)
		if (preparation->stdio[fd] >= 0 && dup2(preparation->stdio[fd], fd) < 0)
			return -errno;
	if (!preparation->close_others) {
		/* Out of the way of the preserved descriptors, which end up at 3 and above. */
		int moved = fcntl(sync, F_DUPFD_CLOEXEC, (int)(FD_PRESERVED + work->preserved_fds));

		close(sync);
		close(FD_REPORT);
		close(FD_CONSOLE);
		return moved < 0 ? -errno : moved;
	}
	if (sync != SYNC_FD && dup3(sync, SYNC_FD, O_CLOEXEC) < 0)
		return -errno;
	return sys_close_range(SYNC_FD + 1, ~0u, 0) < 0 ? -errno : SYNC_FD;
}

/* In a user namespace the process becomes its root, so that what it makes belongs to somebody there. */
static int become_root(void)
{
	syscall(SYS_setgroups, (size_t)0, NULL); /* may be denied */
	if (syscall(SYS_setresgid, 0, 0, 0) < 0 && errno != EINVAL)
		return -errno;
	return syscall(SYS_setresuid, 0, 0, 0) < 0 && errno != EINVAL ? -errno : 0;
}

/* Standard streams on the host's /dev/null are opened anew on the container's, if that is one. */
static void reopen_null(int root)
{
	for (int fd = 0; fd <= 2; fd++) {
		struct stat info;
		int null CLOSED_AT_END = -1;

		if (fstat(fd, &info) < 0 || !S_ISCHR(info.st_mode) || info.st_rdev != makedev(1, 3))
			continue;
		null = root_open(root, "/dev/null", O_RDWR, K_RESOLVE_NO_SYMLINKS);
		if (null >= 0 && fstat(null, &info) == 0 && S_ISCHR(info.st_mode) &&
		    info.st_rdev == makedev(1, 3))
			dup2(null, fd);
	}
}

/*
 * Closes what leads to directories of the host: a process in the container that may trace this one, while it waits for its start,
 * would walk out along it. Returns the fifo itself (O_PATH), which leads nowhere; -1 when there is none to wait on; -errno.
 */
static int leave_host(struct clone_work *work, struct context *context)
{
	int fifo;

	if (work->cgroup >= 0)
		close(work->cgroup);
	work->cgroup = -1;
	if (context->fifo_dir < 0)
		return -1;
	fifo = openat(context->fifo_dir, "exec.fifo", O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fifo < 0)
		return fail(context, -errno, "exec.fifo");
	close(context->fifo_dir);
	context->fifo_dir = -1;
	return fifo;
}

/* Waits until `start` opens the other end; the write end stays open until exec, and carries a failure. */
static int wait_on_fifo(struct context *context, int fifo)
{
	char name[32];
	struct text link = TEXT_IN(name);

	text_add(&link, "self/fd/");
	text_add_number(&link, fifo);
	if (procfs_of(context) < 0)
		return fail(context, context->procfs, "procfs");
	context->fifo = openat(context->procfs, name, O_WRONLY | O_CLOEXEC);
	close(fifo);
	if (context->fifo < 0)
		return fail(context, -errno, "exec.fifo");
	return write_all(context->fifo, "0", 1);
}

static void report_failure(struct context *context)
{
	uint8_t buffer[MESSAGE_SMALL_BYTES];

	if (context->fifo < 0)
		sync_send_failure(context->sync, SYNC_FAILED, &context->failure);
	else
		write_all(context->fifo, buffer, message_failed(buffer, 0, 0, &context->failure));
}

static int enter_namespaces(struct clone_work *work, struct context *context)
{
	int error = 0;

	if (work->new_namespaces & CLONE_NEWUSER) {
		error = sync_expect(context->sync, SYNC_MAPPED, work->failure);
	} else if (!work->intermediate) {
		/* Nobody in there may trace this process, which still has the host's rights. */
		if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
			return -errno;
		error = join_cgroups(work, "0");
		if (!error)
			error = join_namespaces(work);
	}
	if (!error)
		error = join_cgroup_namespace(work);
	if (!error && work->has_offsets)
		error = enter_time_namespace(work);
	if (!error && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		error = -errno;
	if (!error && work->unshares_cgroup && unshare(CLONE_NEWCGROUP) < 0)
		error = fail_at(work, work->unshare_index, -errno, "");
	if (!error && in_user_namespace(work))
		error = become_root();
	return error;
}

/* The host's pid of this process, which it cannot see from inside a pid namespace: from the host's procfs. */
static pid_t read_host_pid(void)
{
	char link[32];
	ssize_t length = readlink("/proc/self", link, sizeof(link));
	int64_t pid = length > 0 ? parse_number(link, link + length) : -1;

	return pid > 0 ? (pid_t)pid : 0;
}

static int set_up(struct clone_work *work, struct context *context)
{
	struct step step;
	int error = enter_namespaces(work, context);

	if (error)
		return error;
	if (work->has_container_hooks)
		context->host_pid = read_host_pid();
	if (!plan_find(work->plan, OP_OPEN_ROOT, &step)) {
		context->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (context->root < 0)
			return -errno;
	}
	umask(0);
	error = run_phase(context, PHASE_SETUP);
	umask(context->umask);
	if (error)
		return error;
	reopen_null(context->root);
	return context->fifo_dir >= 0 ? check_program(context) : 0;
}

static int wait_for_start(struct clone_work *work, struct context *context)
{
	bool on_fifo = context->fifo_dir >= 0;
	int fifo = leave_host(work, context);
	int error = on_fifo && fifo < 0 ? fifo : sync_send(context->sync, SYNC_READY);

	if (error)
		return error;
	if (on_fifo) {
		context->monitored = plan_has_listener(context->plan);
		return wait_on_fifo(context, fifo);
	}
	/* The monitor went away: there is nobody to report to. */
	return sync_expect(context->sync, SYNC_START, &context->failure);
}

static _Noreturn void run_process(struct clone_work *work, const struct preparation *preparation, int sync)
{
	static struct context context;
	int error;

	context = (struct context){.plan = work->plan,
				   .sync = sync,
				   .root = -1,
				   .procfs = -1,
				   .null_source = -1,
				   .mask_mount = -1,
				   .fifo_dir = preparation->fifo_dir,
				   .fifo = -1,
				   .new_user_namespace = in_user_namespace(work),
				   .alone = work->new_namespaces & CLONE_NEWUSER && !work->joined,
				   .monitored = true,
				   .preserved_fds = work->preserved_fds,
				   .umask = DEFAULT_UMASK};
	work->failure = &context.failure;
	context.failure.step = work->clone_index;
	error = set_up(work, &context);
	if (!error)
		error = wait_for_start(work, &context);
	if (!error)
		error = run_phase(&context, PHASE_START);
	if (error) /* a failing step has put its errno there already */
		context.failure.error = -error;
	report_failure(&context);
	end_filtered(1);
}

/* making it --------------------------------------------------------------------------------------------------- */

static pid_t clone_process(struct clone_work *work, uint64_t extra_flags)
{
	struct clone_arguments arguments = {
		.flags = work->new_namespaces | extra_flags,
		.exit_signal = extra_flags & CLONE_PARENT ? 0 : SIGCHLD,
	};
	pid_t pid;

	if (work->has_offsets)
		arguments.flags &= ~(uint64_t)CLONE_NEWTIME;
	if (work->cgroup >= 0) {
		arguments.flags |= CLONE_INTO_CGROUP_FLAG;
		arguments.cgroup = (uint64_t)work->cgroup;
	}
	pid = (pid_t)sys_clone3(&arguments);
	if (pid < 0 && work->cgroup >= 0 && (pid == -EBUSY || pid == -EOPNOTSUPP || pid == -EACCES))
		return fail_at(work, work->cgroup_index, pid, "clone into the cgroup");
	return pid < 0 ? fail_at(work, work->clone_index, pid, "") : pid;
}

/* The monitor has to know the pid before the process itself says anything. */
static void await_told(int told[2])
{
	char byte;

	close(told[1]);
	if (read(told[0], &byte, sizeof(byte)) != sizeof(byte))
		_exit(1);
	close(told[0]);
}

static int tell_pid(int sync, pid_t pid, int told)
{
	int error = sync_send_numbers(sync, SYNC_PID, (uint32_t)pid, 0);

	return error < 0 ? error : write_all(told, "", 1);
}

/* Joins everything, makes the container's process as its own sibling, says its pid, ends. */
static _Noreturn void run_intermediate(struct clone_work *work, const struct preparation *preparation, int sync)
{
	struct failure failure = {.step = work->clone_index};
	int told[2];
	pid_t pid = 0;
	int error;

	work->failure = &failure;
	error = prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ? -errno : 0;
	if (!error)
		find_cgroup2(work);
	if (!error)
		error = join_cgroups(work, "0");
	if (!error && work->joined & CLONE_NEWUSER)
		error = write_oom_score(work, "self");
	if (!error && in_user_namespace(work))
		error = raise_limits(work, 0);
	if (!error)
		error = join_namespaces(work);
	if (!error && pipe2(told, O_CLOEXEC) < 0)
		error = -errno;
	if (!error) {
		pid = clone_process(work, CLONE_PARENT);
		if (pid == 0) {
			await_told(told);
			run_process(work, preparation, sync);
		}
		error = pid < 0 ? pid : tell_pid(sync, pid, told[1]);
	}
	if (error) {
		failure.error = -error;
		sync_send_failure(sync, SYNC_FAILED, &failure);
	}
	_exit(error ? 1 : 0);
}

/* The first process below the monitor: the intermediate one, or the container's own. */
static pid_t fork_first(struct clone_work *work)
{
	struct clone_arguments plain = {.exit_signal = SIGCHLD};
	pid_t pid;

	if (work->intermediate) {
		pid = (pid_t)sys_clone3(&plain);
		return pid < 0 ? fail_at(work, work->clone_index, pid, "") : pid;
	}
	find_cgroup2(work);
	pid = clone_process(work, 0);
	if (pid != 0 && work->cgroup >= 0)
		close(work->cgroup);
	return pid;
}

int prepare_process(const struct preparation *preparation, int *sync, pid_t *pid, struct failure *failure)
{
	struct clone_work work = read_work(preparation->plan, failure);
	int process_end;
	int error = sync_pair(sync, &process_end);
	pid_t first;

	if (error)
		return fail_at(&work, work.clone_index, error, "socketpair");
	first = fork_first(&work);
	if (first == 0) {
		int end = arrange_descriptors(preparation, &work, process_end);

		reset_signals();
		if (end < 0)
			_exit(1);
		if (work.intermediate)
			run_intermediate(&work, preparation, end);
		run_process(&work, preparation, end);
	}
	close(process_end);
	if (first < 0) {
		close(*sync);
		*sync = -1;
		return first;
	}
	*pid = work.intermediate ? 0 : first;
	return 0;
}

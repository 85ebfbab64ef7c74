#include "shim.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "clone.h"
#include "io.h"
#include "system.h"
#include "text.h"

#define EVENTS_AT_ONCE 16
#define ABANDONED_MS 10000u
#define IDLE_MS 1000u

void watch(struct shim *shim, struct source *source, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = source};
	int operation = !source->events ? EPOLL_CTL_ADD : events ? EPOLL_CTL_MOD : EPOLL_CTL_DEL;

	if (source->fd < 0 || events == source->events)
		return;
	if (epoll_ctl(shim->epoll, operation, source->fd, &event) == 0)
		source->events = events;
}

void source_close(struct shim *shim, struct source *source)
{
	if (source->fd < 0)
		return;
	watch(shim, source, 0);
	close(source->fd);
	source->fd = -1;
	source->events = 0;
}

struct process *find_process(struct shim *shim, uint32_t number)
{
	struct process *process = shim->processes;

	while (process && process->number != number)
		process = process->next;
	return process;
}

static struct process *find_pid(struct shim *shim, pid_t pid)
{
	struct process *process = shim->processes;

	while (process && (process->pid != pid || !process_is_live(process)))
		process = process->next;
	return process;
}

/* Hears first what preparing processes have said: the pid that was reaped may be among it. */
static bool somebody_has_no_pid(struct shim *shim)
{
	bool waiting = false;

	for (struct process *process = shim->processes; process; process = process->next) {
		if (process->pid || !process_is_live(process))
			continue;
		process_sync_event(process);
		waiting = waiting || (!process->pid && process_is_live(process));
	}
	return waiting;
}

static void note_end(struct shim *shim, pid_t pid, int status)
{
	bool waiting = somebody_has_no_pid(shim);
	struct process *process = find_pid(shim, pid);

	if (process)
		process_end(process, status);
	else if (!waiting) /* an orphan, an intermediate process or a hook */
		shim->unclaimed_count = 0;
	else if (shim->unclaimed_count < sizeof(shim->unclaimed) / sizeof(shim->unclaimed[0]))
		shim->unclaimed[shim->unclaimed_count++] = (struct unclaimed){pid, status};
}

static void reap_children(struct shim *shim)
{
	for (;;) {
		int status;
		pid_t pid = waitpid(-1, &status, WNOHANG);

		if (pid < 0 && errno == EINTR)
			continue;
		if (pid <= 0)
			return;
		note_end(shim, pid, status);
	}
}

static void signals_event(struct shim *shim)
{
	struct signalfd_siginfo info;

	while (read(shim->signals.fd, &info, sizeof(info)) > 0)
		;
	reap_children(shim);
}

static void dispatch(struct shim *shim, struct source *source, uint32_t events)
{
	if (source->fd < 0) /* closed by an earlier event of the same round */
		return;
	switch (source->kind) {
	case SOURCE_LISTENER:
		connection_accept(shim);
		break;
	case SOURCE_SIGNALS:
		signals_event(shim);
		break;
	case SOURCE_SYNC:
		process_sync_event(source->owner);
		break;
	case SOURCE_OUTPUT:
		output_event(source->owner);
		break;
	case SOURCE_INPUT:
		input_event(source->owner);
		break;
	case SOURCE_CONNECTION:
		connection_event(source->owner, events);
		break;
	}
}

/* exec'd processes whose end was delivered; those nobody has heard of wait for a subscriber. */
static void sweep_processes(struct shim *shim)
{
	struct process *next;

	for (struct process *process = shim->processes; process; process = next) {
		next = process->next;
		if (process->number != 0 && process->state == PROCESS_ENDED && process->delivered)
			process_free(process);
	}
}

static void release_plan(struct shim *shim)
{
	struct process *container = find_process(shim, 0);

	if (!shim->plan_needed || !container || container->state < PROCESS_RUNNING)
		return;
	shim->plan_needed = false;
	shim->launch.plan = (struct plan){NULL, 0, 0};
	content_release(&shim->launch.content);
}

/* All is done when nothing lives, and nobody has bytes to come. */
static bool is_finished(const struct shim *shim)
{
	for (const struct process *process = shim->processes; process; process = process->next)
		if (process_is_live(process))
			return false;
	for (const struct connection *c = shim->connections; c; c = c->next)
		if (connection_backlog(c) > 0)
			return false;
	return true;
}

/* An engine that went away before START will not come back for it: nothing else would ever end this process. */
static uint64_t watch_engine(struct shim *shim, uint64_t now_ms)
{
	struct process *container = find_process(shim, 0);

	if (!container || container->state > PROCESS_CREATED || shim->subscribers) {
		shim->abandoned_since_ms = 0;
		return 0;
	}
	if (!shim->abandoned_since_ms)
		shim->abandoned_since_ms = now_ms;
	if (now_ms < shim->abandoned_since_ms + ABANDONED_MS)
		return shim->abandoned_since_ms + ABANDONED_MS;
	if (container->pid && !container->failed) { /* its pid, when it comes, leads here again */
		process_fail(container, ECANCELED, "the engine went away before the start");
		kill(container->pid, SIGKILL);
	}
	return 0;
}

static int timeout_of(struct shim *shim)
{
	uint64_t now_ms = now_monotonic_ms();
	uint64_t hold = release_outputs(shim, now_ms);
	uint64_t engine = watch_engine(shim, now_ms);
	uint64_t idle = shim->buffers_used ? now_ms + IDLE_MS : 0;
	uint64_t next = hold;

	if (engine && (!next || engine < next))
		next = engine;
	if (idle && (!next || idle < next))
		next = idle;
	if (!next)
		return -1;
	return next > now_ms ? (int)(next - now_ms) : 0;
}

/* Nothing happened for a while: what the buffers hold is not needed any more. */
static void rest(struct shim *shim)
{
	if (shim->buffers_used)
		madvise(shim->buffers, BUFFERS_BYTES, MADV_DONTNEED);
	shim->buffers_used = false;
}

static void run_loop(struct shim *shim)
{
	struct epoll_event events[EVENTS_AT_ONCE];

	while (!is_finished(shim)) {
		int count = epoll_wait(shim->epoll, events, EVENTS_AT_ONCE, timeout_of(shim));

		if (count == 0)
			rest(shim);
		for (int i = 0; i < count; i++)
			dispatch(shim, events[i].data.ptr, events[i].events);
		connections_sweep(shim);
		sweep_processes(shim);
		release_plan(shim);
	}
}

/* start-up ---------------------------------------------------------------------------------------------------- */

/* The caller's child ends at once; its child goes on, in a session of its own. */
static int become_daemon(void)
{
	struct clone_arguments arguments = {.exit_signal = SIGCHLD};
	long pid = sys_clone3(&arguments);

	if (pid < 0)
		return (int)pid;
	if (pid > 0)
		_exit(0);
	return setsid() < 0 ? -errno : 0;
}

/* `ps` shows what the process was called with: the words are overwritten in place. */
static void set_title(char *start, size_t size, const char *id)
{
	struct text text;

	prctl(PR_SET_NAME, "gantry-shim", 0, 0, 0);
	if (size < 2)
		return;
	memset(start, 0, size);
	text_start(&text, start, size);
	text_add(&text, "gantry-shim: ");
	text_add(&text, id);
}

static int block_signals(struct shim *shim)
{
	sigset_t all, child;

	/* Blocked, not ignored: children would inherit what is ignored through exec. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	shim->signals.fd = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
	return shim->signals.fd < 0 ? -errno : 0;
}

static int set_up(struct shim *shim)
{
	int error = block_signals(shim);

	if (error)
		return error;
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		return -errno;
	shim->epoll = epoll_create1(EPOLL_CLOEXEC);
	shim->buffers = mmap(NULL, BUFFERS_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (shim->epoll < 0 || shim->buffers == MAP_FAILED)
		return -errno;
	shim->log.encoded = LOG_BUFFER(shim);
	error = set_nonblocking(FD_LISTENER);
	if (error)
		return error;
	fcntl(FD_LISTENER, F_SETFD, FD_CLOEXEC);
	watch(shim, &shim->listener, EPOLLIN);
	watch(shim, &shim->signals, EPOLLIN);
	return 0;
}

/* Makes the container's process; a failure ends it at once, with its report in the exit file. */
static int launch_container(struct shim *shim)
{
	struct process *container = process_new(shim, shim->launch.flags, "");
	int error = 0;

	if (!container)
		return -ENOMEM;
	if (*shim->launch.log_path) {
		/* A copy, as the launch message is released once the program runs. */
		const char *path = strdup(shim->launch.log_path);

		error = path ? log_open(&shim->log, path, shim->launch.log_max_bytes, shim->launch.log_max_files)
			     : -ENOMEM;
	}
	if (error)
		process_fail(container, -error, shim->launch.log_path);
	else
		error = process_launch(container, &shim->launch.plan);
	if (error)
		process_end(container, 0);
	return 0;
}

static int fail_start(const char *what)
{
	complain(what);
	return 1;
}

static int run_shim(char *title_start, size_t title_size, bool is_daemon)
{
	static struct shim shim = {
		.epoll = -1,
		.listener = {SOURCE_LISTENER, FD_LISTENER, 0, NULL},
		.signals = {SOURCE_SIGNALS, -1, 0, NULL},
		.log = {.fd = -1},
		.plan_needed = true,
	};

	if (launch_read(&shim.launch) < 0)
		return fail_start("the launch message is malformed");
	if (!is_daemon && shim.launch.flags & FLAG_DAEMON && become_daemon() < 0)
		return fail_start("cannot become a daemon");
	set_title(title_start, title_size, shim.launch.container_id);
	shim.directory = open(shim.launch.directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (shim.directory < 0 || chdir("/") < 0)
		return fail_start("cannot open the directory");
	if (set_up(&shim) < 0 || launch_container(&shim) < 0)
		return fail_start("cannot start");
	run_loop(&shim);
	return 0;
}

/* Daemon already; the launch message and the listener come over the socket at FD_LAUNCH, once there is a container. */
static int await_launch(void)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(2 * sizeof(int))];
	} control;
	char byte;
	struct iovec data = {&byte, 1};
	struct msghdr message = {
		.msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
	struct cmsghdr *rights;
	int received[2];
	ssize_t got;

	do
		got = recvmsg(FD_LAUNCH, &message, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	if (got <= 0)
		_exit(0); /* the engine does not need us any more */
	rights = CMSG_FIRSTHDR(&message);
	if (!rights || rights->cmsg_type != SCM_RIGHTS || rights->cmsg_len != CMSG_LEN(sizeof(received)))
		return -EINVAL;
	memcpy(received, CMSG_DATA(rights), sizeof(received));
	/* Above both targets: 3 is the socket, 4 is free or received. */
	for (int i = 0; i < 2; i++) {
		int lifted = fcntl(received[i], F_DUPFD_CLOEXEC, FD_LISTENER + 1);

		if (lifted < 0)
			return -errno;
		close(received[i]);
		received[i] = lifted;
	}
	if (dup2(received[0], FD_LAUNCH) < 0 || dup2(received[1], FD_LISTENER) < 0)
		return -errno;
	close(received[0]);
	close(received[1]);
	return 0;
}

int waiting_shim_main(char *title_start, size_t title_size)
{
	if (become_daemon() < 0)
		return fail_start("cannot become a daemon");
	prctl(PR_SET_NAME, "gantry-shim", 0, 0, 0);
	if (await_launch() < 0)
		return fail_start("no launch message came");
	return run_shim(title_start, title_size, true);
}

int shim_main(char *title_start, size_t title_size)
{
	return run_shim(title_start, title_size, false);
}

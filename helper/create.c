#include "create.h"

#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "clone.h"
#include "hooks.h"
#include "io.h"
#include "launch.h"
#include "message.h"
#include "report.h"
#include "system.h"
#include "text.h"

struct creation {
	struct launch launch;
	bool exec;
	int sync;
	pid_t pid;
	bool about_to_exec;
	bool reported; /* CREATED or FAILED was written */
};

/* The caller is gone when this fails; the process ends with the conversation. */
static void report(const uint8_t *bytes, size_t length)
{
	if (write_all(FD_REPORT, bytes, length) < 0) {
		complain("cannot report");
		_exit(1);
	}
}

static void report_pid(const struct creation *creation, uint16_t type)
{
	struct message message;
	uint8_t bytes[64];

	message_begin(&message, bytes, sizeof(bytes), type, 0);
	message_u32(&message, 0);
	message_u32(&message, (uint32_t)creation->pid);
	if (type == MESSAGE_STARTED)
		message_u64(&message, now_realtime_ns());
	report(bytes, message_end(&message));
}

static int report_failure(const struct failure *failure)
{
	uint8_t bytes[MESSAGE_SMALL_BYTES];

	report(bytes, message_failed(bytes, 0, 0, failure));
	return 1;
}

/* Console sockets get one descriptor, with the pty's name as data (runc's --console-socket). */
static int send_console(int master)
{
	char name[32];
	struct text text = TEXT_IN(name);
	unsigned number = 0;
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec part;
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = control.space,
				 .msg_controllen = sizeof(control.space)};

	if (ioctl(master, TIOCGPTN, &number) < 0)
		return -errno;
	text_add(&text, "/dev/pts/");
	text_add_number(&text, number);
	part = (struct iovec){name, text.length};
	memset(&control, 0, sizeof(control));
	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.header), &master, sizeof(int));
	return sendmsg(FD_CONSOLE, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int fail_creation(struct creation *creation, struct failure *failure, int error, const char *detail)
{
	struct text text;

	if (detail) {
		failure->step = UINT32_MAX;
		failure->error = -error;
		text_start(&text, failure->detail, sizeof(failure->detail));
		text_add(&text, detail);
	}
	/* Waited for, so that it is out of its cgroups when the caller removes them. */
	if (creation->pid > 0 && kill(creation->pid, SIGKILL) == 0)
		waitpid(creation->pid, NULL, 0);
	creation->reported = true;
	return report_failure(failure);
}

/*
 * Reaps the intermediate process, which ends as soon as it has told the pid. Left to init, it would stay in the
 * container's cgroups. The container's process is left alone: it may have ended too, and whoever started us waits for it.
 */
static void reap_intermediate(pid_t process)
{
	siginfo_t ended = {0};

	if (waitid(P_ALL, 0, &ended, WEXITED | WNOWAIT) == 0 && ended.si_pid != process)
		waitpid(ended.si_pid, NULL, 0);
}

/*
 * `create` ends, but a listener is there only once `start` has the filter loaded: a child stays until the program runs, or its
 * process is gone, and passes the listener on.
 */
static int leave_listener_monitor(struct creation *creation)
{
	struct clone_arguments arguments = {.exit_signal = SIGCHLD};
	struct sync_record record;
	pid_t child = (pid_t)sys_clone3(&arguments);

	if (child != 0)
		return child < 0 ? child : 0;
	/* Whoever reads what `create` writes, or has its console socket, is to see their end. */
	sys_close_range(0, (unsigned)creation->sync - 1, 0);
	sys_close_range((unsigned)creation->sync + 1, ~0u, 0);
	ensure_stdio();
	while (sync_receive(creation->sync, 0, &record) == 1)
		if (record.type == SYNC_LISTENER)
			serve_listener(&creation->launch.plan, record.first, creation->pid, (int)record.second,
				       creation->sync);
	_exit(0);
}

/* Carries out one record. Returns 1 when the conversation goes on, 0 when all went well, -1 after a failure. */
static int take_record(struct creation *creation, struct sync_record *record)
{
	struct failure failure = {0};
	int error = 0;

	switch (record->type) {
	case SYNC_PID:
		creation->pid = (pid_t)record->first;
		reap_intermediate(creation->pid);
		if (finish_clone(&creation->launch.plan, creation->pid, creation->sync, &failure) == 0)
			return 1;
		fail_creation(creation, &failure, 0, NULL);
		return -1;
	case SYNC_CONSOLE:
		error = send_console(record->fd);
		close(record->fd);
		if (!error)
			return 1;
		fail_creation(creation, &failure, error, "console socket");
		return -1;
	case SYNC_HOOK:
	case SYNC_TREE:
		serve_step(&creation->launch.plan, record->first, creation->pid, creation->sync);
		return 1;
	case SYNC_LISTENER:
		serve_listener(&creation->launch.plan, record->first, creation->pid, (int)record->second,
			       creation->sync);
		return 1;
	case SYNC_READY:
		if (!creation->exec && plan_has_listener(&creation->launch.plan))
			error = leave_listener_monitor(creation);
		if (error) {
			fail_creation(creation, &failure, error, "monitor of the seccomp listener");
			return -1;
		}
		report_pid(creation, MESSAGE_CREATED);
		creation->reported = true;
		if (!creation->exec)
			return 0;
		sync_send(creation->sync, SYNC_START); /* a process that has died meanwhile is reported as such */
		return 1;
	case SYNC_EXEC:
		creation->about_to_exec = true;
		return 1;
	case SYNC_FAILED:
		fail_creation(creation, &record->failure, 0, NULL);
		return -1;
	}
	return 1;
}

/* Follows the process until it waits on its fifo, or has executed its program. 0, or 1 after a reported failure. */
static int follow(struct creation *creation)
{
	struct failure failure = {0};
	struct sync_record record;
	int going = 1;

	while (going > 0 && sync_receive(creation->sync, 0, &record) == 1)
		going = take_record(creation, &record);
	if (going < 0)
		return 1;
	if (creation->about_to_exec)
		report_pid(creation, MESSAGE_STARTED);
	else if (going > 0)
		return fail_creation(creation, &failure, -ECHILD, "the process ended before its program was executed");
	return 0;
}

static int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return 1;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int create_main(bool exec)
{
	static struct creation creation = {.sync = -1};
	struct preparation preparation = {.stdio = {-1, -1, -1}, .fifo_dir = -1};
	struct failure failure = {0};
	sigset_t broken_pipe;
	int error;

	/* A process that dies while it is prepared is to be reported. Blocked, as children would inherit what is ignored. */
	sigemptyset(&broken_pipe);
	sigaddset(&broken_pipe, SIGPIPE);
	sigprocmask(SIG_BLOCK, &broken_pipe, NULL);
	creation.exec = exec;
	error = launch_read(&creation.launch);
	if (error)
		return fail_creation(&creation, &failure, error, "the launch message is malformed");
	preparation.plan = &creation.launch.plan;
	if (!exec) {
		preparation.fifo_dir = open(creation.launch.directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (preparation.fifo_dir < 0)
			return fail_creation(&creation, &failure, -errno, creation.launch.directory);
	}
	if (prepare_process(&preparation, &creation.sync, &creation.pid, &failure) < 0)
		return report_failure(&failure);
	if (creation.pid && finish_clone(&creation.launch.plan, creation.pid, creation.sync, &failure) < 0)
		return fail_creation(&creation, &failure, 0, NULL);
	if (follow(&creation) != 0)
		return 1;
	/* Whoever reads the report sees its end. */
	close(FD_REPORT);
	return creation.launch.flags & FLAG_FOREGROUND ? wait_for(creation.pid) : 0;
}

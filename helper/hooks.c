/* OCI hooks, and handing a seccomp listener to its agent. */
#include "hooks.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "context.h"
#include "exec.h"
#include "io.h"
#include "mounts.h"
#include "protocol.h"
#include "system.h"
#include "text.h"

#define WHERE_RUNTIME 0

struct hook {
	const char *kind;
	const char *path;
	struct strings args;
	struct strings env;
	int64_t timeout_ms; /* 0: none */
	uint8_t where;
	const char *directory; /* "": stay */
	const char *state;
};

static struct hook read_hook(const struct step *step)
{
	struct cursor fields = step_fields(step);
	struct hook hook = {.kind = read_string(&fields), .path = NULL};

	hook.path = read_string(&fields);
	hook.args = read_strings(&fields);
	hook.env = read_strings(&fields);
	hook.timeout_ms = read_number(&fields);
	hook.where = read_u8(&fields);
	hook.directory = read_string(&fields);
	hook.state = read_string(&fields);
	return hook;
}

/*
 * An anonymous file with the state, at its start. The planner cannot know the pid: where it wrote `"pid":0`, the pid
 * is put in. Returns a descriptor or -errno.
 */
static int state_file(const char *state, pid_t pid)
{
	static const char placeholder[] = "\"pid\":0";
	int fd = memfd_create("state", MFD_CLOEXEC);
	int error = 0;

	if (fd < 0)
		return -errno;
	while (!error && *state) {
		const char *found = strstr(state, placeholder);
		size_t length = found ? (size_t)(found - state) + sizeof(placeholder) - 2 : strlen(state);

		error = write_all(fd, state, length);
		state += length;
		if (found && !error) {
			char digits[24];
			struct text text = TEXT_IN(digits);

			text_add_number(&text, pid);
			error = write_all(fd, digits, text.length);
			state++; /* the 0 */
		}
	}
	if (!error && lseek(fd, 0, SEEK_SET) < 0)
		error = -errno;
	if (error) {
		close(fd);
		return error;
	}
	return fd;
}

static _Noreturn void become_hook(const struct hook *hook, int state, int output)
{
	char why[128];
	struct text text = TEXT_IN(why);
	int error;

	/* A group of its own, so that a hook which takes too long is killed with all that it started. */
	if (setpgid(0, 0) == 0 && dup2(state, 0) >= 0 && dup2(output, 1) >= 0 && dup2(output, 2) >= 0 &&
	    sys_close_range(3, ~0u, CLOSE_RANGE_CLOEXEC_FLAG) == 0 && (!*hook->directory || chdir(hook->directory) == 0))
		exec_path(hook->path, hook->args, hook->env);
	error = errno;
	text_add(&text, "it cannot be executed: ");
	text_add(&text, error == ENOENT ? "no such file or directory" : "permission denied or no program");
	write_all(output, text.at, text.length);
	_exit(error == ENOENT ? 127 : 126);
}

/* Waits for the hook to end. Returns its wait status, or -ETIMEDOUT after it was killed, or -errno. */
static int wait_for_hook(pid_t pid, int64_t timeout_ms)
{
	int pidfd CLOSED_AT_END = sys_pidfd_open(pid);
	struct pollfd event = {.fd = pidfd, .events = POLLIN};
	int ended, status = 0;

	if (pidfd < 0)
		return pidfd;
	do
		ended = poll(&event, 1, timeout_ms > 0 && timeout_ms < INT32_MAX ? (int)timeout_ms : -1);
	while (ended < 0 && errno == EINTR);
	if (ended <= 0) {
		kill(-pid, SIGKILL);
		kill(pid, SIGKILL); /* when it is not in its group yet */
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return ended <= 0 ? -ETIMEDOUT : status;
}

static void describe_failure(struct failure *failure, const struct hook *hook, int status, int output)
{
	struct text text;
	char said[256];
	ssize_t length = pread(output, said, sizeof(said), 0);

	text_start(&text, failure->detail, sizeof(failure->detail));
	text_add(&text, hook->path);
	if (status == -ETIMEDOUT) {
		text_add(&text, " did not end in time");
	} else if (status >= 0) {
		text_add(&text, WIFSIGNALED(status) ? " was killed by signal " : " ended with exit status ");
		text_add_number(&text, WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	}
	while (length > 0 && said[length - 1] == '\n')
		length--;
	if (length > 0) {
		text_add(&text, ": ");
		text_add_bytes(&text, said, (size_t)length);
	}
}

/* Runs the hook in the namespaces of the caller. 0, or -errno with a detail. */
static int run_hook(const struct hook *hook, pid_t pid, struct failure *failure)
{
	struct clone_arguments arguments = {.exit_signal = SIGCHLD};
	int state CLOSED_AT_END = state_file(hook->state, pid);
	int output CLOSED_AT_END = memfd_create("output", MFD_CLOEXEC);
	pid_t child;
	int status;

	if (state < 0 || output < 0)
		return state < 0 ? state : -ENOMEM;
	child = (pid_t)sys_clone3(&arguments);
	if (child == 0)
		become_hook(hook, state, output);
	if (child < 0)
		return child;
	status = wait_for_hook(child, hook->timeout_ms);
	if (status == 0)
		return 0;
	describe_failure(failure, hook, status, output);
	return status < 0 ? status : -ECANCELED;
}

int step_hook(struct context *context, const struct step *step)
{
	struct hook hook = read_hook(step);
	mode_t before;
	int error;

	if (hook.where == WHERE_RUNTIME)
		return ask_monitor(context, SYNC_HOOK, step, 0);
	/* While the root is set up nothing is masked: what a hook makes shall not be writable for all. */
	before = umask(context->umask);
	error = run_hook(&hook, context->host_pid, &context->failure);
	umask(before);
	return error;
}

/* The message to the agent is the state with one descriptor (OCI Runtime Specification, "listenerPath"). */
static int send_listener(const char *path, const char *state, int listener, pid_t pid)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int socket_fd CLOSED_AT_END = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int content_fd CLOSED_AT_END = state_file(state, pid);
	struct file_content content;
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec part;
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = control.space,
				 .msg_controllen = sizeof(control.space)};
	int error;

	if (socket_fd < 0 || content_fd < 0)
		return -EIO;
	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	if (connect(socket_fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	error = read_to_end(content_fd, 1u << 20, &content);
	if (error < 0)
		return error;
	memset(&control, 0, sizeof(control));
	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.header), &listener, sizeof(int));
	part = (struct iovec){content.bytes, content.length};
	if (sendmsg(socket_fd, &message, MSG_NOSIGNAL) < 0)
		error = -errno;
	content_release(&content);
	return error;
}

static int pass_listener(const struct step *step, pid_t pid, int fd)
{
	struct cursor fields = step_fields(step);
	const char *path = "", *state = "";
	int pidfd CLOSED_AT_END = sys_pidfd_open(pid);
	int listener CLOSED_AT_END = -1;

	if (step->opcode != OP_LOAD_SECCOMP)
		return -EPROTO;
	read_bytes(&fields);
	read_number(&fields);
	if (read_u8(&fields))
		path = read_string(&fields);
	if (read_u8(&fields))
		state = read_string(&fields);
	if (pidfd < 0)
		return pidfd;
	listener = sys_pidfd_getfd(pidfd, fd);
	return listener < 0 ? listener : send_listener(path, state, listener, pid);
}

/* The mount of a bind step, whose ids only somebody outside of the container's user namespace can map. */
static int make_tree(const struct step *step, struct failure *failure)
{
	static struct context context;
	int tree;

	context.procfs = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	tree = context.procfs < 0 ? -errno : open_bind_tree(&context, step);
	*failure = context.failure;
	return tree;
}

/* Returns -errno, or 0; for a mount, its descriptor. */
static int do_service(const struct step *step, pid_t pid, int fd, struct failure *failure)
{
	struct hook hook;

	if (fd >= 0)
		return pass_listener(step, pid, fd);
	if (step->opcode == OP_BIND)
		return make_tree(step, failure);
	if (step->opcode != OP_HOOK)
		return -EPROTO;
	hook = read_hook(step);
	return hook.where == WHERE_RUNTIME ? run_hook(&hook, pid, failure) : -EPROTO;
}

static void refuse(int sync, struct failure *failure, int error)
{
	failure->error = -error;
	sync_send_failure(sync, SYNC_REFUSED, failure);
}

/* Forks; the child serves the step, answers and ends. fd is -1 for a hook. */
static void serve(const struct plan *plan, uint32_t ordinal, pid_t pid, int fd, int sync)
{
	struct clone_arguments arguments = {.exit_signal = SIGCHLD};
	struct failure failure = {0};
	struct step step;
	sigset_t none;
	int error = -EPROTO;
	pid_t child = (pid_t)sys_clone3(&arguments);

	if (child < 0)
		refuse(sync, &failure, child); /* or it would wait for ever */
	if (child != 0)
		return;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (sync != 3)
		dup2(sync, 3);
	sys_close_range(4, ~0u, 0);
	if (plan && plan_step(plan, ordinal, &step))
		error = do_service(&step, pid, fd, &failure);
	if (error < 0)
		refuse(3, &failure, error);
	else if (step.opcode == OP_BIND)
		sync_send_fd(3, SYNC_DONE, error);
	else
		sync_send(3, SYNC_DONE);
	_exit(0);
}

void serve_step(const struct plan *plan, uint32_t ordinal, pid_t pid, int sync)
{
	serve(plan, ordinal, pid, -1, sync);
}

void serve_listener(const struct plan *plan, uint32_t ordinal, pid_t pid, int fd, int sync)
{
	serve(plan, ordinal, pid, fd, sync);
}

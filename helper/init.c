/* Process 1 of a container with `--init`. It runs inside, with the container's rights, and needs nothing of the host. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init.h"
#include "io.h"
#include "text.h"

bool called_as_init(const char *name)
{
	const char *slash = strrchr(name, '/');

	return strcmp(slash ? slash + 1 : name, "docker-init") == 0;
}

static _Noreturn void run_command(char **command)
{
	char message[256];
	struct text text = TEXT_IN(message);
	sigset_t none;
	int error;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execvp(command[0], command);
	error = errno;
	text_add(&text, "cannot execute ");
	text_add(&text, command[0]);
	text_add(&text, error == ENOENT ? ": no such file or directory" : ": permission denied or no program");
	complain(message);
	_exit(error == ENOENT ? 127 : 126);
}

/*
 * A process group of its own, in the foreground of the terminal if there is one: what Ctrl-C reaches is the command,
 * once, and not this process, which would send it a second time.
 */
static void take_foreground(pid_t group)
{
	setpgid(group, group);
	if (isatty(STDIN_FILENO))
		tcsetpgrp(STDIN_FILENO, group);
}

/* Reaps all that have ended. Returns the exit code of `command` once it is among them, else -1. */
static int reap_ended(pid_t command)
{
	int code = -1;

	for (;;) {
		int status;
		pid_t pid = waitpid(-1, &status, WNOHANG);

		if (pid < 0 && errno == EINTR)
			continue;
		if (pid <= 0) /* 0: the others still run; ECHILD: none left */
			return code;
		if (pid == command)
			code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	}
}

int init_main(int argc, char **argv)
{
	char **command = argv + 1;
	sigset_t every;
	pid_t pid;

	if (argc > 1 && strcmp(*command, "--") == 0)
		command++;
	if (!*command) {
		complain("docker-init: no command");
		return 2;
	}
	/* Blocked before fork, so that none is lost between fork and the first wait. */
	sigfillset(&every);
	sigprocmask(SIG_BLOCK, &every, NULL);
	pid = fork();
	if (pid < 0) {
		complain("docker-init: cannot fork");
		return 1;
	}
	if (pid == 0) {
		take_foreground(getpid());
		run_command(command);
	}
	take_foreground(pid); /* in both, since either may be first */
	for (;;) {
		int number;

		if (sigwait(&every, &number) != 0)
			continue;
		if (number == SIGCHLD) {
			int code = reap_ended(pid);

			if (code >= 0)
				return code;
		} else if (number != SIGTTIN && number != SIGTTOU) {
			kill(pid, number);
		}
	}
}

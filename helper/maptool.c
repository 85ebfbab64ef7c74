#include "maptool.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "signals.h"
#include "system.h"
#include "text.h"

#define NUMBERS_A_LINE 3

static size_t count_lines(const char *map)
{
	size_t lines = 0;

	for (; *map; map++)
		lines += *map == '\n';
	return lines;
}

/* TOOL PID CONTAINER HOST SIZE …; the words of `map` are cut in place. */
static char **arguments_of(const char *tool, const char *process, char *map)
{
	char **arguments = calloc(count_lines(map) * NUMBERS_A_LINE + 3, sizeof(*arguments));
	size_t count = 2, limit = count_lines(map) * NUMBERS_A_LINE + 2;
	char *rest = NULL;

	if (!arguments)
		return NULL;
	arguments[0] = (char *)tool;
	arguments[1] = (char *)process;
	for (char *word = strtok_r(map, " \n", &rest); word && count < limit; word = strtok_r(NULL, " \n", &rest))
		arguments[count++] = word;
	return arguments;
}

static _Noreturn void become_tool(const char *tool, const char *process, const char *map, int output)
{
	static char *no_environment[] = {NULL};
	char *copy = strdup(map);
	char **arguments = copy ? arguments_of(tool, process, copy) : NULL;

	reset_signals();
	if (arguments && dup2(output, 1) >= 0 && dup2(output, 2) >= 0 &&
	    sys_close_range(3, ~0u, CLOSE_RANGE_CLOEXEC_FLAG) == 0)
		execve(tool, arguments, no_environment);
	_exit(127);
}

static void say(struct failure *failure, const char *tool, int output)
{
	char said[512];
	ssize_t length = pread(output, said, sizeof(said), 0);
	struct text text;

	while (length > 0 && said[length - 1] == '\n')
		length--;
	text_start(&text, failure->detail, sizeof(failure->detail));
	if (length > 0) {
		text_add_bytes(&text, said, (size_t)length);
	} else {
		text_add(&text, tool);
		text_add(&text, " failed");
	}
}

int run_map_tool(const char *tool, const char *process, const char *map, struct failure *failure)
{
	struct clone_arguments arguments = {.exit_signal = SIGCHLD};
	int output CLOSED_AT_END = memfd_create("output", MFD_CLOEXEC);
	int status = 0;
	pid_t pid;

	if (output < 0)
		return -errno;
	pid = (pid_t)sys_clone3(&arguments);
	if (pid < 0)
		return pid;
	if (pid == 0)
		become_tool(tool, process, map, output);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (status == 0)
		return 0;
	say(failure, tool, output);
	return -EPERM;
}

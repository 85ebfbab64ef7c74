#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "call.h"
#include "commands.h"
#include "system.h"

/* Makes sure that the log can be written, as the full program does before anything else. */
static bool touch_log(const char *log)
{
	int fd CLOSED_AT_END = log ? open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644) : -1;

	return !log || fd >= 0;
}

static bool carry_out(const struct runtime_call *call)
{
	static struct record record;
	int directory CLOSED_AT_END = open(call->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (directory < 0 || !read_record(directory, &record) || !touch_log(call->log))
		return false;
	switch (call->command) {
	case RUNTIME_STATE: return print_state(directory, &record);
	case RUNTIME_START: return start_container(directory, &record);
	case RUNTIME_KILL: return kill_container(&record, call->signal, call->all);
	case RUNTIME_DELETE: return delete_container(call->directory, directory, &record, call->force);
	}
	return false;
}

int run_runtime(char **words)
{
	static struct runtime_call call;

	return parse_runtime_call(words, &call) && carry_out(&call) ? 0 : RUNTIME_DECLINED;
}

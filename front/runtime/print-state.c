#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "cgroups.h"
#include "commands.h"
#include "process.h"
#include "text.h"

/* NULL when it cannot be found out. */
static const char *status_of(int directory, const struct record *record)
{
	int frozen;

	if (!is_alive(record->pid, record->start_time))
		return "stopped";
	frozen = is_frozen(record->freezer, record->cgroup_version);
	if (frozen)
		return frozen < 0 ? NULL : "paused";
	return faccessat(directory, FIFO_FILE, F_OK, 0) == 0 && is_waiting(record->pid) ? "created" : "running";
}

/* False when not even the first byte could be written: a reader that is gone is the full program's to tell. */
static bool print_all(const char *bytes, size_t length)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
	size_t done = 0;

	sigaction(SIGPIPE, &ignore, &before);
	while (done < length) {
		ssize_t written = write(STDOUT_FILENO, bytes + done, length - done);

		if (written < 0 && errno != EINTR)
			break;
		if (written > 0)
			done += (size_t)written;
	}
	sigaction(SIGPIPE, &before, NULL);
	return done > 0;
}

bool print_state(int directory, const struct record *record)
{
	static char buffer[RECORD_MAX_BYTES + 64];
	struct text shown = TEXT_IN(buffer);
	const char *status = status_of(directory, record);

	if (!status)
		return false;
	text_add(&shown, record->state_head);
	text_add_number(&shown, strcmp(status, "stopped") == 0 ? 0 : record->pid);
	text_add(&shown, ",\n  \"status\": \"");
	text_add(&shown, status);
	text_add(&shown, record->state_tail);
	return print_all(shown.at, shown.length);
}

#include <errno.h>
#include <signal.h>

#include "cgroups.h"
#include "commands.h"
#include "process.h"
#include "system.h"

static int signal_first(const struct record *record, int number)
{
	int pidfd CLOSED_AT_END = open_alive(record->pid, record->start_time);

	if (pidfd < 0)
		return pidfd == -ESRCH ? 0 : -1;
	if (signal_process(pidfd, number))
		return 1;
	return errno == ESRCH ? 0 : -1;
}

int signal_container(const struct record *record, int number, bool all)
{
	bool everybody = !record->own_pid_namespace && (all || number == SIGKILL);
	int delivered = signal_first(record, number);

	if (delivered < 0)
		return -1;
	if (everybody && signal_cgroup(record->signalled, number, record->pid) < 0)
		return -1;
	/* A frozen process of v1 does not even die. */
	if (number == SIGKILL && record->cgroup_version == 1) {
		int frozen = is_frozen(record->freezer, 1);

		if (frozen < 0 || (frozen && !thaw(record->freezer)))
			return -1;
	}
	return delivered;
}

bool kill_container(const struct record *record, int number, bool all)
{
	/* Signals other than SIGKILL mean something each time: what could fail half-way is not begun. */
	if (all && !record->own_pid_namespace && number != SIGKILL)
		return false;
	return is_alive(record->pid, record->start_time) && signal_container(record, number, all) >= 0;
}

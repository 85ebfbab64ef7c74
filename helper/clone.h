/* Making a process in its namespaces and cgroups, up to the point where it waits for its start. */
#ifndef GANTRY_CLONE_H
#define GANTRY_CLONE_H

#include <stdbool.h>
#include <sys/types.h>

#include "plan.h"
#include "report.h"

struct preparation {
	const struct plan *plan;
	int stdio[3];      /* become 0, 1, 2 of the process; -1 leaves the caller's */
	int fifo_dir;      /* wait on exec.fifo in this directory; -1: wait for SYNC_START */
	bool close_others; /* the process shares no descriptor of the monitor but these */
};

/*
 * Makes the process as a child of the caller. It goes through its phases by itself and reports over *sync, which
 * the caller owns; *pid is 0 when an intermediate process makes it, then SYNC_PID tells.
 * Returns 0, or -errno with the failing step.
 */
int prepare_process(const struct preparation *preparation, int *sync, pid_t *pid, struct failure *failure);

/*
 * What the monitor does for a process in a new user namespace, once its pid is known: id maps, cgroups,
 * OOM score; then lets it go on. Nothing for any other. 0, or -errno with the failing step.
 */
int finish_clone(const struct plan *plan, pid_t pid, int sync, struct failure *failure);

#endif

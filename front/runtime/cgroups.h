/* Cgroups of a container. Paths are of the host; what is missing is fine. */
#ifndef GANTRY_FRONT_RUNTIME_CGROUPS_H
#define GANTRY_FRONT_RUNTIME_CGROUPS_H

#include <stdbool.h>
#include <sys/types.h>

#define COUNT_ONLY (-1)

/*
 * Sends a signal, or none with COUNT_ONLY, to each process of a cgroup and of those below; `spare` gets none.
 * Returns how many processes there are; -1 when something could not be read or signalled.
 */
int signal_cgroup(const char *directory, int number, pid_t spare);

/* Whether the cgroup with the freezer is frozen; -1 when it cannot be read. An empty path has none. */
int is_frozen(const char *freezer, int64_t version);

/* Lets a frozen cgroup of v1, where not even SIGKILL is delivered, go on. */
bool thaw(const char *freezer);

/* Ends every process, and waits until all are gone. False after ten seconds, or when it cannot be done. */
bool kill_cgroup(const char *directory, const char *freezer, int64_t version);

/* Removes a cgroup and those below. False while it is busy. */
bool remove_cgroup(const char *directory);

void pause_milliseconds(long milliseconds);

#endif

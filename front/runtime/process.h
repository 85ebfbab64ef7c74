/* The first process of a container. Its number may have become somebody else's: the start time tells. */
#ifndef GANTRY_FRONT_RUNTIME_PROCESS_H
#define GANTRY_FRONT_RUNTIME_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Whether it lives: a zombie does not. */
bool is_alive(pid_t pid, int64_t start_time);

/* Before `start` the process still is the helper. Without the right to look it counts as waiting. */
bool is_waiting(pid_t pid);

/*
 * A descriptor of the process, which cannot come to mean another one; close it when done. -ESRCH when it has ended,
 * otherwise -errno.
 */
int open_alive(pid_t pid, int64_t start_time);

/* False for a process that has ended as well as for a signal that is refused: then errno is not ESRCH. */
bool signal_process(int pidfd, int number);

#endif

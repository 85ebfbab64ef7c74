#ifndef GANTRY_HOOKS_H
#define GANTRY_HOOKS_H

#include "plan.h"
#include "report.h"

/*
 * The monitor's part of a hook, an idmapped mount and a seccomp listener: a child of the monitor does what step `ordinal` asks for in
 * the host's namespaces and answers to the waiting process itself, so that the monitor's loop never waits.
 * `fd` is the listener's number in the process `pid`.
 */
void serve_step(const struct plan *plan, uint32_t ordinal, pid_t pid, int sync);
void serve_listener(const struct plan *plan, uint32_t ordinal, pid_t pid, int fd, int sync);

#endif

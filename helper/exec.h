#ifndef GANTRY_EXEC_H
#define GANTRY_EXEC_H

#include "context.h"

/*
 * Makes every descriptor above stdio and the preserved ones close-on-exec, and tells the monitor that from here on
 * silence means success. A second call does nothing. 0 or -errno.
 */
int seal_for_exec(struct context *context);

/*
 * Whether the program of the plan's exec step can be found and executed, as far as can be told without doing it.
 * 0, or -errno with context->failure filled in. For `create`, which has to refuse before `start`.
 */
int check_program(struct context *context);

/* Runs a program that is given by its path; returns only on failure: -errno. */
int exec_path(const char *path, struct strings args, struct strings env);

#endif

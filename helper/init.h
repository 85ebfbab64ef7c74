#ifndef GANTRY_INIT_H
#define GANTRY_INIT_H

#include <stdbool.h>

/* Whether the helper was called as a container's init: `/sbin/docker-init -- COMMAND [ARG...]`. */
bool called_as_init(const char *name);

/*
 * Process 1 of a container that asked for one (`--init`): starts the command, passes signals on to it, reaps whatever
 * process the kernel hands to it. Returns the command's exit code: 128 + signal when it was killed, 127 or 126 when it
 * could not be executed, 2 when there is none.
 */
int init_main(int argc, char **argv);

#endif

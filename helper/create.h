#ifndef GANTRY_CREATE_H
#define GANTRY_CREATE_H

#include <stdbool.h>

/*
 * The modes `create` (the process waits on exec.fifo) and `exec` (it starts at once), for the OCI runtime, whose caller
 * monitors the container. Returns the exit code of the helper: 0 or 1, in the foreground that of the process.
 */
int create_main(bool exec);

#endif

/*
 * The commands, as src/runtime/lifecycle has them. False: it has not been done, or not all of it, and doing it again
 * from the start ends as it should; whatever fails is told by the full program.
 */
#ifndef GANTRY_FRONT_RUNTIME_COMMANDS_H
#define GANTRY_FRONT_RUNTIME_COMMANDS_H

#include <stdbool.h>

#include "record.h"

/* `directory`: the container's, open. */
bool print_state(int directory, const struct record *record);
bool start_container(int directory, const struct record *record);
bool kill_container(const struct record *record, int number, bool all);
bool delete_container(const char *path, int directory, const struct record *record, bool force);

/*
 * Sends a signal to the first process, and to all others where they would stay without it. 1 when it was delivered to the first,
 * 0 when that one has ended, -1 when something failed.
 */
int signal_container(const struct record *record, int number, bool all);

/* The fifo that a created container's process waits on (src/runtime/lifecycle/exec-fifo.ts). */
#define FIFO_FILE "exec.fifo"

#endif

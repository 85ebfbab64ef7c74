/* A call of the OCI runtime that may be answered here, and not by the full program. */
#ifndef GANTRY_FRONT_RUNTIME_CALL_H
#define GANTRY_FRONT_RUNTIME_CALL_H

#include <limits.h>
#include <stdbool.h>

enum runtime_command { RUNTIME_STATE, RUNTIME_START, RUNTIME_KILL, RUNTIME_DELETE };

struct runtime_call {
	enum runtime_command command;
	char directory[PATH_MAX]; /* of the container */
	const char *log; /* file that has to be there afterwards; NULL for none */
	int signal;
	bool all; /* kill --all */
	bool force; /* delete --force */
};

/*
 * Reads the words behind the program's name. False for whatever is not certain to be right, and for what
 * is written in an unusual way: the full program knows what to make of it.
 */
bool parse_runtime_call(char **words, struct runtime_call *call);

#endif

/* The full program, which stands behind this one in the same file. */
#ifndef GANTRY_FRONT_PROGRAM_H
#define GANTRY_FRONT_PROGRAM_H

/*
 * Becomes the full program, as execve would, with the arguments and environment that this process was called with,
 * and one variable more (`NAME=value`) unless `variable` is NULL or the name is set already.
 * Has to be called before anything was changed that an execve would not keep. Never returns: what cannot be loaded
 * is said on standard error, exit code 126.
 */
_Noreturn void become_program(char **argv, char *variable);

#endif

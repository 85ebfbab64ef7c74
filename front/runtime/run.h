/* Commands of the OCI runtime that need no plan, and therefore no JavaScript. */
#ifndef GANTRY_FRONT_RUNTIME_RUN_H
#define GANTRY_FRONT_RUNTIME_RUN_H

/*
 * Carries out `state`, `start`, `kill` and `delete` for the words behind the program's name. Returns the exit code 0,
 * or RUNTIME_DECLINED when the full program has to: then nothing was done that it would not do as well.
 */
int run_runtime(char **words);

#define RUNTIME_DECLINED (-1)

#endif

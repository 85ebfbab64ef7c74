/*
 * The OCI runtime's commands that plan, in TypeScript as ever, but in a small interpreter whose memory has them loaded and ready:
 * a start takes a fraction of a millisecond. docs/snapshot.md tells how it is made.
 */
#ifndef GANTRY_SNAPSHOT_RUN_H
#define GANTRY_SNAPSHOT_RUN_H

/* The words behind the program's name. Returns the exit code; RUNTIME_DECLINED when nothing was done. */
int run_snapshot(char **words, char **env);

#endif

#ifndef GANTRY_MOUNTS_H
#define GANTRY_MOUNTS_H

/* Opens `path` below `dir` with O_PATH if it really is the null device, else -errno. */
int open_null(int dir, const char *path);
/* Copies what lies in the directory `from` into the directory `to`. Returns 0 or -errno. */
int copy_directory(int from, int to);

#endif

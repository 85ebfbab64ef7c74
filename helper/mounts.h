#ifndef GANTRY_MOUNTS_H
#define GANTRY_MOUNTS_H

#include "context.h"

/*
 * The tree of a bind step, attached to nothing, with its attributes and maps. Returns a descriptor or -errno; the detail is in
 * context->failure. In a user namespace only the monitor can map ids: it does this for the process.
 */
int open_bind_tree(struct context *context, const struct step *step);
/* Opens `path` below `dir` with O_PATH if it really is the null device, else -errno. */
int open_null(int dir, const char *path);
/* Copies what lies in the directory `from` into the directory `to`. Returns 0 or -errno. */
int copy_directory(int from, int to);

#endif

#ifndef GANTRY_IDMAP_H
#define GANTRY_IDMAP_H

#include <stdbool.h>

#include "context.h"

/* Maps the ids of the unattached mount `tree` by the two maps, in the format of /proc/PID/uid_map. 0 or -errno. */
int idmap_mount(struct context *context, int tree, bool recursive, const char *uid_map, const char *gid_map);

#endif

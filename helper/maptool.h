#ifndef GANTRY_MAPTOOL_H
#define GANTRY_MAPTOOL_H

#include "report.h"

/*
 * Runs newuidmap(1) or newgidmap(1), which write `map` (the format of /proc/PID/uid_map) for a caller who may not.
 * 0, or -errno; `failure->detail` is what the tool said then.
 */
int run_map_tool(const char *tool, const char *process, const char *map, struct failure *failure);

#endif

#ifndef GANTRY_PROCFS_H
#define GANTRY_PROCFS_H

#include "context.h"

/*
 * A procfs which the helper mounted itself and attached nowhere, so that nothing in the container can stand in
 * for it (CVE-2019-19921, CVE-2025-52881). Made on first use, kept in the context. Returns the descriptor or -errno.
 */
int procfs_of(struct context *context);
/* Opens the host's procfs instead where the kernel allows no new one; before pivot-root. */
void procfs_remember_host(struct context *context);
/* Writes `value` to `path` below it; links and other file systems on the way are refused. */
int procfs_write(struct context *context, const char *path, const char *value);

#endif

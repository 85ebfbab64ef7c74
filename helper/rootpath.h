/*
 * Paths inside the container. Each is resolved by the kernel beneath the root's descriptor (openat2 with
 * RESOLVE_IN_ROOT: absolute links and ".." stay inside, links of procfs are refused), so nothing that an
 * image or a process in the container does can lead out of it.
 *
 * All functions return a descriptor or 0, or -errno.
 */
#ifndef GANTRY_ROOTPATH_H
#define GANTRY_ROOTPATH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum target_kind { TARGET_DIRECTORY, TARGET_FILE };

/* Who shall own what is made on the way to a path. */
struct ownership {
	mode_t directory_mode;
	bool chown;
	uid_t uid;
	gid_t gid;
};

/* Opens an existing object. */
int root_open(int root, const char *path, uint64_t flags, uint64_t extra_resolve);
/* Opens a target with O_PATH; a missing one is made, with its parent directories. */
int root_make(int root, const char *path, enum target_kind kind, const struct ownership *ownership);
/*
 * Opens the directory that holds the last component of `path`, made if missing; *name is that component,
 * inside `path`. -EINVAL for a path without one ("/", "..").
 */
int root_parent(int root, const char *path, char *buffer, size_t size, const char **name);

#endif

/*
 * Mounts. Each is made attached to nothing, gets its attributes there, and is then moved to a descriptor of its
 * target that was resolved inside the root: there is no moment at which a path is looked up twice.
 */
#include "mounts.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "context.h"
#include "idmap.h"
#include "procfs.h"
#include "rootpath.h"
#include "system.h"
#include "text.h"

#define PROPAGATION_FLAGS (MS_SHARED | MS_SLAVE | MS_PRIVATE | MS_UNBINDABLE)
/* strndup_user() in the kernel's fsconfig takes no longer values. */
#define FSCONFIG_VALUE_BYTES 256

static int set_propagation(int mount, uint64_t flags)
{
	struct mount_attributes attributes = {.propagation = flags & PROPAGATION_FLAGS};

	return sys_mount_setattr(mount, flags & MS_REC ? AT_RECURSIVE : 0, &attributes);
}

int step_set_propagation(struct context *context, const struct step *step)
{
	struct cursor fields = step_fields(step);
	const char *target = read_string(&fields);
	uint64_t flags = (uint64_t)read_number(&fields);
	int fd CLOSED_AT_END = -1;

	if (strcmp(target, "/") == 0 || context->root < 0)
		return mount(NULL, target, NULL, flags & (PROPAGATION_FLAGS | MS_REC), NULL) < 0 ? -errno : 0;
	fd = root_open(context->root, target, O_PATH, 0);
	return fd < 0 ? fd : set_propagation(fd, flags);
}

/* What the file system itself says about a refused mount: lines "e tmpfs: Bad value for 'size'" (fsopen(2)). */
static int fail_with_log(struct context *context, int fs, int error, const char *what)
{
	char message[256];
	ssize_t length = read(fs, message, sizeof(message) - 1);
	size_t start = 0;

	if (length <= 0)
		return fail(context, error, what);
	message[length] = 0;
	message[strcspn(message, "\n")] = 0;
	if (message[0] && message[1] == ' ')
		start = 2;
	return fail(context, error, message + start);
}

static int configure_option(struct context *context, int fs, const char *option)
{
	char key[FSCONFIG_VALUE_BYTES];
	size_t length = strcspn(option, "=");
	int error;

	if (length >= sizeof(key))
		return fail(context, -EINVAL, option);
	memcpy(key, option, length);
	key[length] = 0;
	error = option[length] ? sys_fsconfig(fs, K_FSCONFIG_SET_STRING, key, option + length + 1)
			       : sys_fsconfig(fs, K_FSCONFIG_SET_FLAG, key, NULL);
	return error < 0 ? fail_with_log(context, fs, error, option) : 0;
}

/* Returns the new mount, attached to nothing. */
static int make_mount(struct context *context, const char *fstype, const char *source, unsigned attributes,
		      struct strings data)
{
	int fs CLOSED_AT_END = sys_fsopen(fstype);
	const char *option;
	int error, mount;

	if (fs < 0)
		return fail_on(context, fs, "file system", fstype);
	error = *source ? sys_fsconfig(fs, K_FSCONFIG_SET_STRING, "source", source) : 0;
	if (error < 0)
		return fail_with_log(context, fs, error, source);
	while ((option = next_string(&data))) {
		error = configure_option(context, fs, option);
		if (error < 0)
			return error;
	}
	error = sys_fsconfig(fs, K_FSCONFIG_CMD_CREATE, NULL, NULL);
	if (error < 0)
		return fail_with_log(context, fs, error, fstype);
	mount = sys_fsmount(fs, attributes);
	return mount < 0 ? fail_with_log(context, fs, mount, fstype) : mount;
}

static bool has_long_option(struct strings data)
{
	const char *option;

	while ((option = next_string(&data)))
		if (strlen(option) >= FSCONFIG_VALUE_BYTES)
			return true;
	return false;
}

static unsigned long mount_flags_of(unsigned attributes)
{
	static const struct {
		unsigned attribute;
		unsigned long flag;
	} table[] = {
		{K_MOUNT_ATTR_RDONLY, MS_RDONLY},	      {K_MOUNT_ATTR_NOSUID, MS_NOSUID},
		{K_MOUNT_ATTR_NODEV, MS_NODEV},	      {K_MOUNT_ATTR_NOEXEC, MS_NOEXEC},
		{K_MOUNT_ATTR_NOATIME, MS_NOATIME},     {K_MOUNT_ATTR_STRICTATIME, MS_STRICTATIME},
		{K_MOUNT_ATTR_NODIRATIME, MS_NODIRATIME},
	};
	unsigned long flags = 0;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (attributes & table[i].attribute)
			flags |= table[i].flag;
	return flags;
}

/* mount(2), for options that are too long for fsconfig(2) (lowerdir of an overlay). */
static int mount_classic(struct context *context, const char *fstype, const char *source, int target,
			 unsigned attributes, struct strings data)
{
	char options[4096], place[64];
	struct text text = TEXT_IN(options), path = TEXT_IN(place);
	int here CLOSED_AT_END = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	const char *option;
	int error = 0;

	if (here < 0)
		return -errno;
	while ((option = next_string(&data))) {
		if (text.length)
			text_add(&text, ",");
		if (text.length + strlen(option) >= sizeof(options))
			return fail(context, -E2BIG, "mount options");
		text_add(&text, option);
	}
	/* The link below our own procfs leads to the checked descriptor, whatever lies at its path by now. */
	if (procfs_of(context) < 0 || fchdir(context->procfs) < 0)
		return fail(context, -ENOTSUP, "procfs");
	text_add(&path, "self/fd/");
	text_add_number(&path, target);
	if (mount(source, place, fstype, mount_flags_of(attributes), options) < 0)
		error = -errno;
	if (fchdir(here) < 0 && !error)
		error = -errno;
	return error;
}

/* procfs and sysfs only on an ordinary directory, as runc has it: no link may decide where they appear. */
static uint64_t resolve_rule_of(const char *fstype)
{
	return strcmp(fstype, "proc") == 0 || strcmp(fstype, "sysfs") == 0 ? K_RESOLVE_NO_SYMLINKS : 0;
}

/* What may be mounted on procfs is decided by the path; a link of the image must not lead there from another one. */
static bool is_procfs_by_link(int place, const char *target)
{
	struct statfs info;

	if (strncmp(target, "/proc", 5) == 0 && (target[5] == '/' || !target[5]))
		return false;
	return fstatfs(place, &info) == 0 && info.f_type == PROC_MAGIC;
}

static int open_target(struct context *context, const char *target, enum target_kind kind, uint64_t rule)
{
	int fd = root_open(context->root, target, O_PATH, rule);

	if (fd == -ENOENT)
		fd = root_make(context->root, target, kind, NULL);
	if (fd == -ELOOP && rule)
		return fail_on(context, fd, "not an ordinary directory:", target);
	if (fd >= 0 && is_procfs_by_link(fd, target)) {
		close(fd);
		return fail_on(context, -EPERM, "leads into procfs:", target);
	}
	return fd < 0 ? fail(context, fd, target) : fd;
}

/* The kernel calls it EINVAL, as it does many other things. */
static int attach(int tree, int place)
{
	struct stat what, where;

	if (fstat(tree, &what) == 0 && fstat(place, &where) == 0 && S_ISDIR(what.st_mode) != S_ISDIR(where.st_mode))
		return -ENOTDIR;
	return sys_attach(tree, place);
}

int step_mount(struct context *context, const struct step *step)
{
	struct cursor fields = step_fields(step);
	const char *fstype = read_string(&fields);
	const char *source = read_string(&fields);
	const char *target = read_string(&fields);
	unsigned attributes = (unsigned)read_number(&fields);
	struct strings data = read_strings(&fields);
	bool copy_up = read_u8(&fields);
	int place CLOSED_AT_END = open_target(context, target, TARGET_DIRECTORY, resolve_rule_of(fstype));
	int mount CLOSED_AT_END = -1;
	int error;

	if (place < 0)
		return place;
	if (copy_up && has_long_option(data))
		return fail(context, -ENOTSUP, "tmpcopyup with a mount option of 256 bytes or more");
	if (has_long_option(data))
		return mount_classic(context, fstype, source, place, attributes, data);
	mount = make_mount(context, fstype, source, attributes, data);
	if (mount < 0)
		return mount;
	error = copy_up ? copy_directory(place, mount) : 0;
	if (error < 0)
		return fail_on(context, error, "copy up", target);
	error = attach(mount, place);
	return error < 0 ? fail_on(context, error, "move_mount", target) : 0;
}

static struct mount_attributes read_attributes(struct cursor *fields)
{
	struct mount_attributes attributes = {.set = (uint64_t)read_number(fields)};

	attributes.clear = (uint64_t)read_number(fields);
	/* The access time modes are one field, which the kernel wants cleared before it is set. */
	if (attributes.set & K_MOUNT_ATTR_ATIME_MASK)
		attributes.clear |= K_MOUNT_ATTR_ATIME_MASK;
	return attributes;
}

static int apply_attributes(int mount, bool recursive, const struct mount_attributes *attributes)
{
	if (!attributes->set && !attributes->clear)
		return 0;
	return sys_mount_setattr(mount, recursive ? AT_RECURSIVE : 0, attributes);
}

struct bind {
	const char *source;
	const char *target;
	enum target_kind kind;
	bool recursive;
	struct mount_attributes attributes;
	bool attributes_recursive;
	uint64_t propagation;
	bool mapped;
	const char *uid_map;
	const char *gid_map;
};

static struct bind read_bind(const struct step *step)
{
	struct cursor fields = step_fields(step);
	struct bind bind = {.source = read_string(&fields)};

	bind.target = read_string(&fields);
	bind.kind = read_u8(&fields) ? TARGET_FILE : TARGET_DIRECTORY;
	bind.recursive = read_u8(&fields);
	bind.attributes = read_attributes(&fields);
	bind.attributes_recursive = read_u8(&fields);
	bind.propagation = (uint64_t)read_number(&fields);
	bind.mapped = read_u8(&fields);
	if (bind.mapped) {
		bind.uid_map = read_string(&fields);
		bind.gid_map = read_string(&fields);
	}
	return bind;
}

int open_bind_tree(struct context *context, const struct step *step)
{
	struct bind bind = read_bind(step);
	int tree = sys_open_tree(AT_FDCWD, bind.source, K_OPEN_TREE_CLONE | (bind.recursive ? AT_RECURSIVE : 0));
	const char *what = "mount_setattr";
	int error;

	if (tree < 0)
		return fail(context, tree, bind.source);
	error = apply_attributes(tree, bind.attributes_recursive, &bind.attributes);
	if (!error && bind.mapped) {
		what = "map the ids of";
		error = idmap_mount(context, tree, bind.recursive, bind.uid_map, bind.gid_map);
	}
	if (error >= 0)
		return tree;
	close(tree);
	return fail_on(context, error, what, bind.source);
}

int step_bind(struct context *context, const struct step *step)
{
	struct bind bind = read_bind(step);
	bool foreign = bind.mapped && context->new_user_namespace;
	int tree CLOSED_AT_END = foreign ? ask_for_tree(context, step) : open_bind_tree(context, step);
	int place CLOSED_AT_END = -1;
	int error;

	if (tree < 0)
		return tree;
	place = open_target(context, bind.target, bind.kind, 0);
	if (place < 0)
		return place;
	error = attach(tree, place);
	if (error < 0)
		return fail_on(context, error, "move_mount", bind.target);
	error = bind.propagation ? set_propagation(tree, bind.propagation) : 0;
	return error < 0 ? fail_on(context, error, "set the propagation of", bind.target) : 0;
}

int step_remount(struct context *context, const struct step *step)
{
	struct cursor fields = step_fields(step);
	const char *target = read_string(&fields);
	struct mount_attributes attributes = read_attributes(&fields);
	bool recursive = read_u8(&fields);
	int fd CLOSED_AT_END = root_open(context->root, target, O_PATH, 0);

	return fd < 0 ? fail(context, fd, target) : apply_attributes(fd, recursive, &attributes);
}

int open_null(int dir, const char *path)
{
	struct stat info;
	int fd = dir == AT_FDCWD ? open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC)
				 : root_open(dir, path, O_PATH | O_NOFOLLOW, K_RESOLVE_NO_SYMLINKS);

	if (fd < 0)
		return dir == AT_FDCWD ? -errno : fd;
	if (fstat(fd, &info) == 0 && S_ISCHR(info.st_mode) && info.st_rdev == makedev(1, 3))
		return fd;
	close(fd);
	return -ENODEV;
}

/* The null device that covers masked files (CVE-2025-31133): the host's, after pivot_root the container's. */
static int null_mount(struct context *context)
{
	int container CLOSED_AT_END = -1;
	int null = context->null_source;

	if (context->pivoted || null < 0)
		null = container = open_null(context->root, "/dev/null");
	if (null < 0)
		return fail(context, null, "/dev/null");
	return sys_open_tree(null, "", AT_EMPTY_PATH | K_OPEN_TREE_CLONE);
}

/* The empty directory that covers masked directories: one file system for all of them. */
static int empty_mount(struct context *context)
{
	struct strings options = {0, {NULL, NULL, false}};
	struct mount_attributes attributes = {.set = K_MOUNT_ATTR_RDONLY};
	int error, mount;

	if (context->mask_mount >= 0) /* it is attached at the first one, so it can be cloned */
		return sys_open_tree(context->mask_mount, "", AT_EMPTY_PATH | K_OPEN_TREE_CLONE);
	mount = make_mount(context, "tmpfs", "tmpfs", K_MOUNT_ATTR_NOSUID | K_MOUNT_ATTR_NODEV | K_MOUNT_ATTR_NOEXEC,
			   options);
	if (mount < 0)
		return mount;
	error = sys_mount_setattr(mount, 0, &attributes);
	if (error < 0) {
		close(mount);
		return error;
	}
	context->mask_mount = fcntl(mount, F_DUPFD_CLOEXEC, 0);
	return mount;
}

int step_mask_path(struct context *context, const struct step *step)
{
	struct cursor fields = step_fields(step);
	const char *path = read_string(&fields);
	int place CLOSED_AT_END = root_open(context->root, path, O_PATH, 0);
	int mount CLOSED_AT_END = -1;
	struct stat info;
	int error;

	if (place == -ENOENT || place == -ENOTDIR)
		return 0;
	if (place < 0)
		return fail(context, place, path);
	if (fstat(place, &info) < 0)
		return fail(context, -errno, path);
	mount = S_ISDIR(info.st_mode) ? empty_mount(context) : null_mount(context);
	if (mount < 0)
		return mount;
	error = sys_attach(mount, place);
	return error < 0 ? fail_on(context, error, "move_mount", path) : 0;
}

int step_readonly_path(struct context *context, const struct step *step)
{
	struct mount_attributes attributes = {.set = K_MOUNT_ATTR_RDONLY};
	struct cursor fields = step_fields(step);
	const char *path = read_string(&fields);
	int place CLOSED_AT_END = root_open(context->root, path, O_PATH, 0);
	int tree CLOSED_AT_END = -1;
	int error;

	if (place == -ENOENT || place == -ENOTDIR)
		return 0;
	if (place < 0)
		return fail(context, place, path);
	tree = sys_open_tree(place, "", AT_EMPTY_PATH | K_OPEN_TREE_CLONE | AT_RECURSIVE);
	if (tree < 0)
		return fail_on(context, tree, "open_tree", path);
	error = sys_mount_setattr(tree, 0, &attributes);
	if (error < 0)
		return fail_on(context, error, "mount_setattr", path);
	error = sys_attach(tree, place);
	return error < 0 ? fail_on(context, error, "move_mount", path) : 0;
}

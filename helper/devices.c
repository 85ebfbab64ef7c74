/* Device nodes and links below /dev. */
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "context.h"
#include "rootpath.h"
#include "system.h"

static const mode_t kinds[] = {S_IFCHR, S_IFBLK, S_IFIFO}; /* the words c, b, p */

static bool is_device(const struct stat *info, mode_t kind, dev_t device)
{
	return (info->st_mode & S_IFMT) == kind && (kind == S_IFIFO || info->st_rdev == device);
}

/* Makes the node; one that is there already has to be the same device. */
static int make_node(int parent, const char *name, mode_t kind, mode_t mode, dev_t device)
{
	struct stat info;

	if (mknodat(parent, name, kind | mode, device) == 0)
		return 0;
	if (errno != EEXIST)
		return -errno;
	if (fstatat(parent, name, &info, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return is_device(&info, kind, device) ? 0 : -EEXIST;
}

int step_make_device(struct context *context, const struct step *step)
{
	struct cursor fields = step_fields(step);
	const char *path = read_string(&fields);
	mode_t kind = kinds[read_u8(&fields)];
	unsigned major = (unsigned)read_number(&fields);
	unsigned minor = (unsigned)read_number(&fields);
	mode_t mode = (mode_t)read_number(&fields) & 07777;
	uid_t uid = (uid_t)read_number(&fields);
	gid_t gid = (gid_t)read_number(&fields);
	char buffer[PATH_MAX];
	const char *name;
	int parent CLOSED_AT_END = root_parent(context->root, path, buffer, sizeof(buffer), &name);
	int error;

	if (parent < 0)
		return fail(context, parent, path);
	error = make_node(parent, name, kind, mode, makedev(major, minor));
	if (error < 0)
		return fail(context, error, path);
	if (!uid && !gid) /* as made: the umask is 0 while the root is set up */
		return 0;
	return fchownat(parent, name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0 ? fail(context, -errno, path) : 0;
}

int step_bind_device(struct context *context, const struct step *step)
{
	struct cursor fields = step_fields(step);
	const char *source = read_string(&fields);
	const char *path = read_string(&fields);
	mode_t kind = kinds[read_u8(&fields)];
	unsigned major = (unsigned)read_number(&fields);
	unsigned minor = (unsigned)read_number(&fields);
	int device CLOSED_AT_END = open(source, O_PATH | O_CLOEXEC);
	int tree CLOSED_AT_END = -1;
	int place CLOSED_AT_END = -1;
	struct stat info;
	int error;

	if (device < 0 || fstat(device, &info) < 0)
		return fail(context, -errno, source);
	if (!is_device(&info, kind, makedev(major, minor)))
		return fail_on(context, -ENODEV, "another device is at", source);
	tree = sys_open_tree(device, "", AT_EMPTY_PATH | K_OPEN_TREE_CLONE);
	if (tree < 0)
		return fail_on(context, tree, "open_tree", source);
	place = root_make(context->root, path, TARGET_FILE, NULL);
	if (place < 0)
		return fail(context, place, path);
	error = sys_attach(tree, place);
	return error < 0 ? fail_on(context, error, "move_mount", path) : 0;
}

int step_symlink(struct context *context, const struct step *step)
{
	struct cursor fields = step_fields(step);
	const char *path = read_string(&fields);
	const char *to = read_string(&fields);
	char buffer[PATH_MAX];
	const char *name;
	int parent CLOSED_AT_END = root_parent(context->root, path, buffer, sizeof(buffer), &name);

	if (parent < 0)
		return fail(context, parent, path);
	if (symlinkat(to, parent, name) < 0 && errno != EEXIST) /* what the image brings stays */
		return fail(context, -errno, path);
	return 0;
}

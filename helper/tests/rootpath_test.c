#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rootpath.h"
#include "test.h"

static bool is_directory(int root, const char *path)
{
	struct stat info;

	return fstatat(root, path, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(info.st_mode);
}

static int close_if_open(int fd)
{
	if (fd >= 0)
		close(fd);
	return fd;
}

static void test_making(int root)
{
	struct stat info;
	int fd;

	TEST("missing directories are made");
	fd = root_make(root, "/a/b/c", TARGET_DIRECTORY, NULL);
	CHECK(close_if_open(fd) >= 0);
	CHECK(is_directory(root, "a/b/c"));

	TEST("a missing file is made, its parents are directories");
	fd = root_make(root, "/a/new/file", TARGET_FILE, NULL);
	CHECK(fd >= 0 && fstat(fd, &info) == 0 && S_ISREG(info.st_mode));
	close_if_open(fd);
	CHECK(is_directory(root, "a/new"));

	TEST("what exists is opened as it is");
	CHECK(close_if_open(root_make(root, "/a/new/file", TARGET_DIRECTORY, NULL)) >= 0);
	CHECK(close_if_open(root_make(root, "/", TARGET_DIRECTORY, NULL)) >= 0);

	TEST(".. at the root stays there");
	CHECK(close_if_open(root_make(root, "/../../../up/x", TARGET_DIRECTORY, NULL)) >= 0);
	CHECK(is_directory(root, "up/x"));

	TEST("a file is no directory");
	CHECK(close_if_open(root_make(root, "/a/new/file/below", TARGET_DIRECTORY, NULL)) == -ENOTDIR);

	TEST("the mode and owner are those that were asked for");
	struct ownership ownership = {.directory_mode = 0700, .chown = true, .uid = getuid(), .gid = getgid()};
	fd = root_make(root, "/owned/deep", TARGET_DIRECTORY, &ownership);
	CHECK(fd >= 0 && fstat(fd, &info) == 0 && (info.st_mode & 0777) == 0700);
	close_if_open(fd);
}

static void test_links(int root)
{
	TEST("absolute links lead to the root");
	CHECK(symlinkat("/a", root, "absolute") == 0);
	CHECK(close_if_open(root_make(root, "/absolute/via", TARGET_DIRECTORY, NULL)) >= 0);
	CHECK(is_directory(root, "a/via"));

	TEST("links that lead nowhere are followed inside");
	CHECK(symlinkat("/not/yet", root, "dangling") == 0);
	CHECK(close_if_open(root_make(root, "/dangling/x", TARGET_DIRECTORY, NULL)) >= 0);
	CHECK(is_directory(root, "not/yet/x"));

	TEST("relative links that climb stay inside");
	CHECK(symlinkat("../../../../climbed", root, "climber") == 0);
	CHECK(close_if_open(root_make(root, "/climber/x", TARGET_DIRECTORY, NULL)) >= 0);
	CHECK(is_directory(root, "climbed/x"));

	TEST("a link as the last component");
	CHECK(symlinkat("/last/file", root, "final") == 0);
	CHECK(close_if_open(root_make(root, "/final", TARGET_FILE, NULL)) >= 0);
	CHECK(faccessat(root, "last/file", F_OK, 0) == 0);

	TEST("circles end");
	CHECK(symlinkat("circle2", root, "circle1") == 0 && symlinkat("circle1", root, "circle2") == 0);
	CHECK(close_if_open(root_make(root, "/circle1/x", TARGET_DIRECTORY, NULL)) == -ELOOP);

	TEST("links of procfs are refused");
	int proc = open("/proc", O_PATH | O_DIRECTORY);
	CHECK(proc >= 0 && root_open(proc, "/self/root/etc", O_PATH, 0) == -ELOOP);
	close_if_open(proc);
}

static void test_parents(int root)
{
	char buffer[PATH_MAX];
	const char *name = "";

	TEST("the parent and the last name of a path");
	CHECK(close_if_open(root_parent(root, "/dev/net/tun", buffer, sizeof(buffer), &name)) >= 0);
	CHECK(strcmp(name, "tun") == 0 && is_directory(root, "dev/net"));
	CHECK(close_if_open(root_parent(root, "plain", buffer, sizeof(buffer), &name)) >= 0);
	CHECK(strcmp(name, "plain") == 0);

	TEST("paths without a last name");
	CHECK(root_parent(root, "/", buffer, sizeof(buffer), &name) == -EINVAL);
	CHECK(root_parent(root, "/a/..", buffer, sizeof(buffer), &name) == -EINVAL);
	CHECK(root_parent(root, "", buffer, sizeof(buffer), &name) == -EINVAL);

	TEST("a path that is too long");
	char longest[PATH_MAX + 8];
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = 0;
	CHECK(root_parent(root, longest, buffer, sizeof(buffer), &name) == -ENAMETOOLONG);
	CHECK(root_make(root, longest, TARGET_DIRECTORY, NULL) == -ENAMETOOLONG);
}

void test_root_paths(void)
{
	int directory = open(test_directory(), O_RDONLY | O_DIRECTORY);
	int root;

	mkdirat(directory, "root", 0755);
	root = openat(directory, "root", O_PATH | O_DIRECTORY);
	test_making(root);
	test_links(root);
	test_parents(root);
	close(root);
	close(directory);
}

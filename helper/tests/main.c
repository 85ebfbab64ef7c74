#include "test.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct {
	int passed;
	int failed;
	const char *name;
	bool ok;
	char directory[64];
} run = {.directory = "/tmp/gantry-helper-tests-XXXXXX"};

static void end_test(void)
{
	if (!run.name)
		return;
	if (run.ok)
		run.passed++;
	else
		run.failed++;
}

void test_begin(const char *name)
{
	end_test();
	run.name = name;
	run.ok = true;
}

void test_check(bool holds, const char *expression, const char *file, int line)
{
	if (holds)
		return;
	run.ok = false;
	printf("FAIL %s: %s (%s:%d)\n", run.name, expression, file, line);
}

const char *test_directory(void)
{
	return run.directory;
}

const char *read_text(const char *path)
{
	static char text[1 << 20];
	int fd = open(path, O_RDONLY);
	ssize_t length = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	text[length < 0 ? 0 : length] = 0;
	return text;
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *where)
{
	(void)info;
	(void)type;
	(void)where;
	return remove(path);
}

int main(void)
{
	if (!mkdtemp(run.directory))
		return 1;
	test_text();
	test_plans();
	test_messages();
	test_json_log();
	test_root_paths();
	test_exit_file();
	end_test();
	nftw(run.directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	printf("%d passed, %d failed\n", run.passed, run.failed);
	return run.failed ? 1 : 0;
}

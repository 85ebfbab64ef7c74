#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "shim.h"
#include "test.h"
#include "text.h"

static const char *written(const struct process *process)
{
	char path[256];
	struct text text = TEXT_IN(path);
	int directory = open(test_directory(), O_PATH | O_DIRECTORY);

	text_add(&text, test_directory());
	text_add(&text, "/exit");
	CHECK(write_exit_file(directory, "exit", process) == 0);
	close(directory);
	return read_text(path);
}

void test_exit_file(void)
{
	struct process process = {.exit_code = 137, .signal = 9, .exited_ns = 1790000000000000001, .pid = 4711};

	TEST("an exit status in JSON");
	CHECK(strcmp(written(&process),
		     "{\"exitCode\":137,\"signal\":9,\"exitedAtNs\":\"1790000000000000001\",\"pid\":4711}\n") == 0);

	TEST("with the reason why it could not be started");
	process.failed = true;
	process.failure.step = 12;
	process.failure.error = 2;
	strcpy(process.failure.detail, "/bin/\"x\"");
	CHECK(strstr(written(&process), ",\"failedStep\":12,\"errno\":2,\"detail\":\"/bin/\\\"x\\\"\"}"));
}

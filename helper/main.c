/* gantry-helper: one program, chosen by its first argument. See docs/helper-protocol.md. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "create.h"
#include "init.h"
#include "io.h"
#include "plan.h"
#include "protocol.h"
#include "shim.h"
#include "signals.h"

#define PLAN_MAX_BYTES (64u << 20)

static int dump_main(void)
{
	struct file_content content;
	int code;

	if (read_to_end(STDIN_FILENO, PLAN_MAX_BYTES, &content) < 0) {
		complain("cannot read the plan");
		return 1;
	}
	code = dump_plan(content.bytes, content.length);
	content_release(&content);
	return code;
}

/* Keeps a place in a cgroup until its caller closes the other end of the pipe, or dies. */
static int hold_main(void)
{
	char byte;

	while (read(FD_LAUNCH, &byte, sizeof(byte)) < 0 && errno == EINTR)
		;
	return 0;
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";

	if (ensure_stdio() < 0)
		return 1;
	reset_signals();
	if (called_as_init(argv[0]))
		return init_main(argc, argv);
	if (strcmp(mode, "shim") == 0 || strcmp(mode, "shim-wait") == 0) {
		const char *last = argv[argc - 1];
		size_t size = (size_t)(last + strlen(last) - argv[0]);

		return strcmp(mode, "shim") == 0 ? shim_main(argv[0], size) : waiting_shim_main(argv[0], size);
	}
	if (strcmp(mode, "create") == 0)
		return create_main(false);
	if (strcmp(mode, "exec") == 0)
		return create_main(true);
	if (strcmp(mode, "hold") == 0)
		return hold_main();
	if (strcmp(mode, "dump-plan") == 0)
		return dump_main();
	complain("usage: gantry-helper shim|shim-wait|create|exec|hold|dump-plan");
	return 2;
}

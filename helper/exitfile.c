#include <stdio.h>
#include <string.h>

#include "io.h"
#include "shim.h"
#include "system.h"
#include "text.h"

static void add_exit(struct text *text, const struct process *process)
{
	text_add(text, "{\"exitCode\":");
	text_add_number(text, process->exit_code);
	text_add(text, ",\"signal\":");
	text_add_number(text, process->signal);
	text_add(text, ",\"exitedAtNs\":\"");
	text_add_number(text, (int64_t)process->exited_ns);
	text_add(text, "\",\"pid\":");
	text_add_number(text, process->pid);
	if (process->failed) {
		text_add(text, ",\"failedStep\":");
		text_add_number(text, process->failure.step);
		text_add(text, ",\"errno\":");
		text_add_number(text, process->failure.error);
		text_add(text, ",\"detail\":");
		text_add_json(text, process->failure.detail);
	}
	text_add(text, "}\n");
}

int write_exit_file(int directory, const char *name, const struct process *process)
{
	char content[DETAIL_BYTES * 6 + 512];
	char aside[EXEC_ID_BYTES + 16];
	struct text text = TEXT_IN(content), path = TEXT_IN(aside);
	int fd CLOSED_AT_END = -1;
	int error;

	add_exit(&text, process);
	text_add(&path, name);
	text_add(&path, ".new");
	fd = openat(directory, aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	error = write_all(fd, content, text.length);
	if (!error && renameat(directory, aside, directory, name) < 0)
		error = -errno;
	return error;
}

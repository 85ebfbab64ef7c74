/* A process that the shim monitors: from the first message of its preparation to its exit status. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "clone.h"
#include "hooks.h"
#include "io.h"
#include "message.h"
#include "shim.h"
#include "system.h"
#include "text.h"

#define NO_STEP UINT32_MAX

struct process *process_new(struct shim *shim, uint32_t flags, const char *exec_id)
{
	struct process *process = calloc(1, sizeof(*process));
	struct process **link = &shim->processes;
	struct text id;

	if (!process)
		return NULL;
	process->shim = shim;
	process->number = shim->next_number++;
	process->flags = flags;
	process->slave = -1;
	process->sync = (struct source){SOURCE_SYNC, -1, 0, process};
	process->input = (struct source){SOURCE_INPUT, -1, 0, process};
	for (int i = 0; i < 2; i++) {
		struct output *output = &process->outputs[i];

		output->source = (struct source){SOURCE_OUTPUT, -1, 0, output};
		output->process = process;
		output->stream = (uint8_t)(i + 1);
	}
	text_start(&id, process->exec_id, sizeof(process->exec_id));
	text_add(&id, exec_id);
	while (*link) /* at the end: events are replayed in the order of the numbers */
		link = &(*link)->next;
	*link = process;
	return process;
}

void process_free(struct process *process)
{
	struct shim *shim = process->shim;
	struct process **link = &shim->processes;

	for (struct connection *c = shim->connections; c; c = c->next)
		if (c->process == process)
			c->process = NULL;
	while (*link != process)
		link = &(*link)->next;
	*link = process->next;
	free(process);
}

bool process_is_live(const struct process *process)
{
	return process->state != PROCESS_ENDED;
}

/* events ------------------------------------------------------------------------------------------------------ */

static size_t created_message(uint8_t *bytes, const struct process *process, uint16_t type, uint16_t tag)
{
	struct message message;

	message_begin(&message, bytes, MESSAGE_SMALL_BYTES, type, tag);
	message_u32(&message, process->number);
	message_u32(&message, (uint32_t)process->pid);
	return message_end(&message);
}

static size_t started_message(uint8_t *bytes, const struct process *process)
{
	struct message message;

	message_begin(&message, bytes, MESSAGE_SMALL_BYTES, MESSAGE_STARTED, 0);
	message_u32(&message, process->number);
	message_u32(&message, (uint32_t)process->pid);
	message_u64(&message, process->started_ns);
	return message_end(&message);
}

static size_t exited_message(uint8_t *bytes, const struct process *process)
{
	struct message message;

	message_begin(&message, bytes, MESSAGE_SMALL_BYTES, MESSAGE_EXITED, 0);
	message_u32(&message, process->number);
	message_u32(&message, (uint32_t)process->exit_code);
	message_u32(&message, (uint32_t)process->signal);
	message_u64(&message, process->exited_ns);
	message_string(&message, process->exec_id);
	return message_end(&message);
}

void replay_events(struct connection *connection)
{
	uint8_t bytes[MESSAGE_SMALL_BYTES];

	for (struct process *process = connection->shim->processes; process; process = process->next) {
		if (process->created)
			connection_send(connection, bytes, created_message(bytes, process, MESSAGE_CREATED, 0));
		if (process->started_ns)
			connection_send(connection, bytes, started_message(bytes, process));
		if (process->failure_reported && process->number == 0)
			connection_send(connection, bytes, message_failed(bytes, 0, 0, &process->failure));
		if (process->state == PROCESS_ENDED) {
			connection_send(connection, bytes, exited_message(bytes, process));
			process->delivered = true;
		}
	}
}

/* The answer to EXEC or START, if somebody still waits for it. */
static struct connection *take_requester(struct process *process)
{
	struct connection *requester = process->requester;

	process->requester = NULL;
	return requester;
}

static void tell_created(struct process *process)
{
	struct connection *requester = take_requester(process);
	uint8_t bytes[MESSAGE_SMALL_BYTES];

	process->state = PROCESS_CREATED;
	process->created = true;
	broadcast(process->shim, bytes, created_message(bytes, process, MESSAGE_CREATED, 0));
	if (requester)
		connection_send(requester, bytes, created_message(bytes, process, MESSAGE_OK, process->tag));
}

static void tell_started(struct process *process)
{
	struct connection *requester = take_requester(process);
	struct message message;
	uint8_t bytes[MESSAGE_SMALL_BYTES];

	process->state = PROCESS_RUNNING;
	process->started_ns = now_realtime_ns();
	broadcast(process->shim, bytes, started_message(bytes, process));
	if (!requester)
		return;
	message_begin(&message, bytes, sizeof(bytes), MESSAGE_OK, process->tag);
	message_u64(&message, process->started_ns);
	connection_send(requester, bytes, message_end(&message));
}

static void tell_failure(struct process *process)
{
	struct connection *requester = take_requester(process);
	uint8_t bytes[MESSAGE_SMALL_BYTES];

	if (process->failure_reported)
		return;
	process->failure_reported = true;
	if (requester)
		connection_send(requester, bytes,
				message_failed(bytes, process->tag, process->number, &process->failure));
	if (process->number == 0)
		broadcast(process->shim, bytes, message_failed(bytes, 0, 0, &process->failure));
}

void process_fail(struct process *process, int error, const char *detail)
{
	struct text text;

	if (process->failed)
		return;
	process->failed = true;
	process->failure.step = NO_STEP;
	process->failure.error = error;
	text_start(&text, process->failure.detail, sizeof(process->failure.detail));
	text_add(&text, detail);
}

/* preparation ------------------------------------------------------------------------------------------------- */

static void finish_preparing(struct process *process)
{
	struct failure failure = {0};

	/* Only the container's own process can be in a new user namespace. */
	if (process->number != 0 ||
	    finish_clone(&process->shim->launch.plan, process->pid, process->sync.fd, &failure) == 0)
		return;
	process->failed = true;
	process->failure = failure;
	kill(process->pid, SIGKILL);
	tell_failure(process);
}

int process_launch(struct process *process, const struct plan *plan)
{
	struct preparation preparation = {.plan = plan, .fifo_dir = -1, .close_others = true};
	struct shim *shim = process->shim;
	struct step step;
	int error = stdio_open(process, preparation.stdio);

	process->exec_step = plan_find(plan, OP_EXEC, &step) ? step.index : NO_STEP;
	if (error < 0)
		process_fail(process, -error, "pipes");
	else
		error = prepare_process(&preparation, &process->sync.fd, &process->pid, &process->failure);
	for (int i = 0; i < 3; i++)
		if (preparation.stdio[i] >= 0)
			close(preparation.stdio[i]);
	if (error < 0) {
		process->failed = true;
		return error;
	}
	watch(shim, &process->sync, EPOLLIN);
	if (process->pid)
		finish_preparing(process);
	return 0;
}

/* The end of an intermediate's child may have been reaped before its pid came. */
static bool claim_end(struct process *process, int *status)
{
	struct shim *shim = process->shim;

	for (unsigned i = 0; i < shim->unclaimed_count; i++) {
		if (shim->unclaimed[i].pid != process->pid)
			continue;
		*status = shim->unclaimed[i].status;
		shim->unclaimed[i] = shim->unclaimed[--shim->unclaimed_count];
		return true;
	}
	return false;
}

static void learn_pid(struct process *process, pid_t pid)
{
	int status;

	process->pid = pid;
	if (claim_end(process, &status))
		process_end(process, status);
	else
		finish_preparing(process);
}

static void serve(struct process *process, const struct sync_record *record)
{
	struct shim *shim = process->shim;
	/* Hooks run on the host: only those of the plan which the engine gave for the container. */
	const struct plan *plan = process->number == 0 && shim->plan_needed ? &shim->launch.plan : NULL;

	if (record->type != SYNC_LISTENER)
		serve_step(plan, record->first, process->pid, process->sync.fd);
	else
		serve_listener(plan, record->first, process->pid, (int)record->second, process->sync.fd);
}

static void take_record(struct process *process, struct sync_record *record)
{
	if (record->fd >= 0 && record->type != SYNC_CONSOLE)
		close(record->fd);
	switch (record->type) {
	case SYNC_PID:
		learn_pid(process, (pid_t)record->first);
		break;
	case SYNC_CONSOLE:
		if (record->fd >= 0)
			stdio_adopt_master(process, record->fd);
		break;
	case SYNC_HOOK:
	case SYNC_TREE:
	case SYNC_LISTENER:
		serve(process, record);
		break;
	case SYNC_READY:
		tell_created(process);
		break;
	case SYNC_EXEC:
		process->about_to_exec = true;
		break;
	case SYNC_FAILED:
		if (!process->failed)
			process->failure = record->failure;
		process->failed = true;
		tell_failure(process);
		break;
	}
}

static void end_sync(struct process *process)
{
	struct shim *shim = process->shim;

	source_close(shim, &process->sync);
	if (process->about_to_exec && !process->failed) {
		tell_started(process);
	} else if (!process->pid) { /* the intermediate process ended without making it */
		process_fail(process, ECHILD, "the process was not made");
		process_end(process, 0);
	}
	/* Else it died while it was prepared: its exit status comes. */
}

void process_sync_event(struct process *process)
{
	struct sync_record record;
	int got;

	while (process->sync.fd >= 0 && (got = sync_receive(process->sync.fd, MSG_DONTWAIT, &record)) != -EAGAIN) {
		if (got <= 0) {
			end_sync(process);
			return;
		}
		take_record(process, &record);
	}
}

/* the end ----------------------------------------------------------------------------------------------------- */

/* 126 and 127 as shells have them, when the program could not be executed. */
static int failure_code(const struct process *process)
{
	if (process->failure.step != process->exec_step)
		return 128;
	return process->failure.error == ENOENT ? 127 : 126;
}

static void note_status(struct process *process, int status)
{
	process->exited_ns = now_realtime_ns();
	process->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	process->exit_code = process->signal ? 128 + process->signal : WEXITSTATUS(status);
	if (!process->started_ns && !process->failed)
		process_fail(process, ECHILD, "the process ended before its program was executed");
	if (process->failed && !process->signal)
		process->exit_code = failure_code(process);
}

/* For somebody who asks later: in the directory, for the container's process always. */
static void keep_status(struct process *process)
{
	struct shim *shim = process->shim;
	char name[EXEC_ID_BYTES + 8];
	struct text text = TEXT_IN(name);

	if (process->number != 0 && shim->subscribers)
		return;
	text_add(&text, "exit");
	if (process->number != 0) {
		text_add(&text, "-");
		text_add(&text, process->exec_id);
	}
	write_exit_file(shim->directory, name, process);
}

void process_end(struct process *process, int status)
{
	struct shim *shim = process->shim;
	uint8_t bytes[MESSAGE_SMALL_BYTES];

	if (process->sync.fd >= 0)
		process_sync_event(process);
	if (process->state == PROCESS_ENDED)
		return;
	if (process->about_to_exec && !process->failed && !process->started_ns)
		tell_started(process); /* executed, and gone before the silence was heard */
	source_close(shim, &process->sync);
	stdio_drain(process);
	note_status(process, status);
	process->state = PROCESS_ENDED;
	if (process->failed)
		tell_failure(process);
	keep_status(process);
	process->delivered = shim->subscribers > 0;
	broadcast(shim, bytes, exited_message(bytes, process));
	for (struct connection *c = shim->connections; c; c = c->next)
		if (c->attached && c->process == process)
			connection_finish(c);
}

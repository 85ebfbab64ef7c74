/* The messages that clients send (docs/helper-protocol.md, "Socket protocol"). */
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>

#include "message.h"
#include "shim.h"
#include "system.h"

void send_ok(struct connection *connection, uint16_t tag)
{
	struct message message;
	uint8_t bytes[MESSAGE_HEADER_BYTES];

	message_begin(&message, bytes, sizeof(bytes), MESSAGE_OK, tag);
	connection_send(connection, bytes, message_end(&message));
}

void send_error(struct connection *connection, uint16_t tag, int error, const char *text)
{
	struct message message;
	uint8_t bytes[256];

	message_begin(&message, bytes, sizeof(bytes), MESSAGE_ERROR, tag);
	message_u32(&message, (uint32_t)error);
	message_string(&message, text);
	connection_send(connection, bytes, message_end(&message));
}

static void subscribe(struct connection *connection, uint16_t tag)
{
	send_ok(connection, tag);
	if (connection->subscribed || connection->source.fd < 0)
		return;
	connection->subscribed = true;
	connection->shim->subscribers++;
	replay_events(connection);
}

static void start(struct connection *connection, uint16_t tag, struct process *process)
{
	if (process->state != PROCESS_CREATED) {
		send_error(connection, tag, EALREADY, "the process was started already");
		return;
	}
	process->state = PROCESS_STARTING;
	process->requester = connection;
	process->tag = tag;
	sync_send(process->sync.fd, SYNC_START); /* a process that has died meanwhile is reported as such */
}

static void attach(struct connection *connection, uint16_t tag, struct process *process, struct cursor *fields)
{
	uint8_t streams = read_u8(fields);
	bool framed = read_u8(fields);

	if (fields->bad || fields->at != fields->end) {
		send_error(connection, tag, EINVAL, "malformed message");
		return;
	}
	if (connection->subscribed) {
		send_error(connection, tag, EINVAL, "a connection that gets events cannot be attached");
		return;
	}
	send_ok(connection, tag);
	connection->attached = true;
	connection->process = process;
	connection->streams = streams;
	connection->framed = framed;
}

static void send_signal(struct connection *connection, uint16_t tag, struct process *process, uint32_t number)
{
	/* A child that was not reaped keeps its pid: it cannot be another process's. */
	if (!process->pid || kill(process->pid, (int)number) < 0)
		send_error(connection, tag, process->pid ? errno : ESRCH, "signal");
	else
		send_ok(connection, tag);
}

static void resize(struct connection *connection, uint16_t tag, struct process *process, struct cursor *fields)
{
	struct winsize size = {.ws_row = read_u16(fields)};

	size.ws_col = read_u16(fields);
	if (!(process->flags & FLAG_TTY))
		send_error(connection, tag, ENOTTY, "the process has no terminal");
	else if (ioctl(process->outputs[0].source.fd, TIOCSWINSZ, &size) < 0)
		send_error(connection, tag, errno, "resize");
	else
		send_ok(connection, tag);
}

/* It names a file of the directory. */
static bool exec_id_is_valid(const char *id)
{
	size_t length = strlen(id);

	return length > 0 && length < EXEC_ID_BYTES && !strchr(id, '/');
}

static void exec(struct connection *connection, uint16_t tag, struct cursor *fields)
{
	struct shim *shim = connection->shim;
	uint32_t flags = read_u16(fields) & (FLAG_TTY | FLAG_OPEN_STDIN | FLAG_STDIN_ONCE);
	const char *id = read_string(fields);
	struct slice bytes = read_bytes(fields);
	struct process *container = find_process(shim, 0);
	struct process *process;
	struct plan plan;

	if (fields->bad || fields->at != fields->end || !exec_id_is_valid(id) ||
	    plan_open(&plan, bytes.bytes, bytes.length) < 0) {
		send_error(connection, tag, EINVAL, "malformed message");
		return;
	}
	if (!container || container->state != PROCESS_RUNNING) {
		send_error(connection, tag, ESRCH, "the container is not running");
		return;
	}
	process = process_new(shim, flags, id);
	if (!process) {
		send_error(connection, tag, ENOMEM, "exec");
		return;
	}
	process->requester = connection;
	process->tag = tag;
	if (process_launch(process, &plan) < 0)
		process_end(process, 0);
}

static bool answer_for_process(struct connection *connection, uint16_t type, uint16_t tag, struct cursor *fields)
{
	struct process *process = find_process(connection->shim, read_u32(fields));

	if (fields->bad) {
		send_error(connection, tag, EINVAL, "malformed message");
		return false;
	}
	if (!process || !process_is_live(process)) {
		send_error(connection, tag, ESRCH, "no such process");
		return true;
	}
	switch (type) {
	case MESSAGE_START:
		start(connection, tag, process);
		break;
	case MESSAGE_ATTACH:
		attach(connection, tag, process, fields);
		break;
	case MESSAGE_SIGNAL:
		send_signal(connection, tag, process, read_u32(fields));
		break;
	case MESSAGE_RESIZE:
		resize(connection, tag, process, fields);
		break;
	case MESSAGE_CLOSE_STDIN:
		input_close(process);
		send_ok(connection, tag);
		break;
	}
	return true;
}

bool answer_request(struct connection *connection, uint16_t type, uint16_t tag, struct slice payload)
{
	struct cursor fields = {payload.bytes, payload.bytes + payload.length, false};

	switch (type) {
	case MESSAGE_SUBSCRIBE:
		subscribe(connection, tag);
		return true;
	case MESSAGE_EXEC:
		exec(connection, tag, &fields);
		return true;
	case MESSAGE_START:
	case MESSAGE_ATTACH:
	case MESSAGE_SIGNAL:
	case MESSAGE_RESIZE:
	case MESSAGE_CLOSE_STDIN:
		return answer_for_process(connection, type, tag, &fields);
	default:
		send_error(connection, tag, ENOSYS, "no such message");
		return false;
	}
}

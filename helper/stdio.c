/* Standard streams of a monitored process. */
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "io.h"
#include "shim.h"
#include "system.h"

/* How long a client may hold the output, and from which backlog on it may do so although it lags. */
#define HOLD_MS 50u
#define BACKLOG_FREE_BYTES ((off_t)256 << 20)
/* One stream must not keep the others waiting for long. */
#define CHUNKS_PER_EVENT 16

static int open_pipe(int *parent_end, int *child_end, bool parent_reads)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	*parent_end = ends[parent_reads ? 0 : 1];
	*child_end = ends[parent_reads ? 1 : 0];
	return set_nonblocking(*parent_end);
}

static int open_null(int flags)
{
	int fd = open("/dev/null", flags | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int stdio_open(struct process *process, int child_ends[3])
{
	struct shim *shim = process->shim;
	int error = 0;

	child_ends[0] = child_ends[1] = child_ends[2] = -1; /* the shim's own: /dev/null */
	if (process->flags & FLAG_TTY)
		return 0;
	if (process->flags & FLAG_OPEN_STDIN)
		error = open_pipe(&process->input.fd, &child_ends[0], false);
	else
		error = child_ends[0] = open_null(O_RDONLY);
	for (int i = 0; i < 2 && error >= 0; i++) {
		error = open_pipe(&process->outputs[i].source.fd, &child_ends[i + 1], true);
		if (error >= 0)
			watch(shim, &process->outputs[i].source, EPOLLIN);
	}
	return error < 0 ? error : 0;
}

void stdio_adopt_master(struct process *process, int master)
{
	struct output *output = &process->outputs[0];

	if (!(process->flags & FLAG_TTY) || output->source.fd >= 0 || set_nonblocking(master) < 0) {
		close(master);
		return;
	}
	/*
	 * With a slave of its own, the shim never sees EIO when the container closes the terminal for a moment and opens
	 * it again; reading ends with the process.
	 */
	process->slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (process->flags & FLAG_OPEN_STDIN)
		process->input.fd = fcntl(master, F_DUPFD_CLOEXEC, 0);
	output->source.fd = master;
	watch(process->shim, &output->source, EPOLLIN);
}

static bool is_attached(const struct connection *connection, const struct process *process, uint8_t streams)
{
	return connection->attached && connection->process == process && connection->streams & streams &&
	       connection->source.fd >= 0;
}

/* The bytes have FRAME_BYTES of room before them, for the header of the framed clients. */
static void forward(struct output *output, uint8_t *bytes, size_t length)
{
	uint8_t *header = bytes - FRAME_BYTES;
	uint8_t wanted = output->stream == 1 ? STREAM_STDOUT : STREAM_STDERR;

	memset(header, 0, FRAME_BYTES);
	header[0] = output->stream;
	for (unsigned i = 0; i < 4; i++)
		header[4 + i] = (uint8_t)(length >> (24 - 8 * i)); /* big endian, as Docker has it */
	for (struct connection *c = output->process->shim->connections; c; c = c->next)
		if (is_attached(c, output->process, wanted))
			connection_send(c, c->framed ? header : bytes, length + (c->framed ? FRAME_BYTES : 0));
}

/* Whether a client of this process has a backlog that its output should wait for. */
static bool must_wait(const struct process *process)
{
	for (const struct connection *c = process->shim->connections; c; c = c->next) {
		off_t backlog = connection_backlog(c);

		if (is_attached(c, process, STREAM_STDOUT | STREAM_STDERR) && backlog > 0 &&
		    (!c->lagging || backlog > BACKLOG_FREE_BYTES))
			return true;
	}
	return false;
}

/*
 * A client that is a little slower than the container slows it down, as a pipe would, instead of filling the spill
 * file. But never for longer than HOLD_MS: a client that stands still does not stop the container.
 */
static void hold(struct output *output)
{
	output->held_until_ms = now_monotonic_ms() + HOLD_MS;
	watch(output->process->shim, &output->source, 0);
}

static void mark_lagging(struct process *process)
{
	for (struct connection *c = process->shim->connections; c; c = c->next)
		if (c->process == process && connection_backlog(c) > 0)
			c->lagging = true;
}

uint64_t release_outputs(struct shim *shim, uint64_t now_ms)
{
	uint64_t next = 0;

	for (struct process *process = shim->processes; process; process = process->next) {
		for (int i = 0; i < 2; i++) {
			struct output *output = &process->outputs[i];

			if (!output->held_until_ms)
				continue;
			if (now_ms >= output->held_until_ms)
				mark_lagging(process);
			else if (must_wait(process)) {
				if (!next || output->held_until_ms < next)
					next = output->held_until_ms;
				continue;
			}
			output->held_until_ms = 0;
			watch(shim, &output->source, EPOLLIN);
		}
	}
	return next;
}

static void output_close(struct output *output)
{
	struct process *process = output->process;
	struct shim *shim = process->shim;

	if (output->source.fd < 0)
		return;
	source_close(shim, &output->source);
	output->held_until_ms = 0;
	if (process->number == 0)
		log_finish(&shim->log, output->stream - 1u);
	if (process->outputs[0].source.fd >= 0 || process->outputs[1].source.fd >= 0)
		return;
	/* Nothing more will come. Who still can send input stays until the process ends. */
	for (struct connection *c = shim->connections; c; c = c->next)
		if (c->process == process && c->attached && !(c->streams & STREAM_STDIN && process->input.fd >= 0))
			connection_finish(c);
}

/* Reads one chunk and passes it on. Returns the number of bytes; 0 when there is nothing now; -1 at the end. */
static ssize_t pass_chunk(struct output *output)
{
	struct shim *shim = output->process->shim;
	uint8_t *chunk = OUTPUT_CHUNK(shim);
	ssize_t length;

	do
		length = read(output->source.fd, chunk, CHUNK_BYTES);
	while (length < 0 && errno == EINTR);
	if (length < 0 && errno == EAGAIN)
		return 0;
	if (length <= 0) /* EIO: the slaves of a pty are closed */
		return -1;
	shim->buffers_used = shim->buffers_used || length > 2048;
	if (output->process->number == 0)
		log_output(&shim->log, output->stream - 1u, chunk, (size_t)length);
	forward(output, chunk, (size_t)length);
	return length;
}

void output_event(struct output *output)
{
	for (int i = 0; i < CHUNKS_PER_EVENT && output->source.fd >= 0; i++) {
		ssize_t length = pass_chunk(output);

		if (length < 0)
			output_close(output);
		if (length <= 0)
			return;
		if (must_wait(output->process)) {
			hold(output);
			return;
		}
		if (length < 4096) /* surely all there was: epoll tells when there is more */
			return;
	}
}

/* All that the processes of the container can have left. Somebody outside may still write: that is not waited for. */
static ssize_t capacity_of(const struct output *output)
{
	int size = fcntl(output->source.fd, F_GETPIPE_SZ);

	return size > 0 ? size : 1 << 20;
}

void stdio_drain(struct process *process)
{
	for (int i = 0; i < 2; i++) {
		struct output *output = &process->outputs[i];
		ssize_t left, length = 1;

		if (output->source.fd < 0)
			continue;
		for (left = capacity_of(output); left > 0 && length > 0; left -= length)
			length = pass_chunk(output);
		output_close(output);
	}
	input_close(process);
	if (process->slave >= 0)
		close(process->slave);
	process->slave = -1;
}

void input_close(struct process *process)
{
	source_close(process->shim, &process->input);
	for (struct connection *c = process->shim->connections; c; c = c->next)
		if (c->process == process && c->attached)
			connection_feed(c); /* what it still sends is discarded */
}

void input_event(struct process *process)
{
	struct shim *shim = process->shim;

	watch(shim, &process->input, 0);
	for (struct connection *c = shim->connections; c; c = c->next)
		if (c->process == process && c->attached && c->incoming_length)
			connection_feed(c);
}

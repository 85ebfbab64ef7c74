/* A client of the shim: first messages, after ATTACH raw bytes. */
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

#include "io.h"
#include "shim.h"
#include "system.h"

#define FIRST_INCOMING_BYTES 512u
#define SENDFILE_BYTES (1u << 20)

void connection_accept(struct shim *shim)
{
	for (;;) {
		int fd = accept4(shim->listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		struct connection *connection;

		if (fd < 0)
			return;
		connection = calloc(1, sizeof(*connection));
		if (!connection) {
			close(fd);
			return;
		}
		connection->shim = shim;
		connection->source = (struct source){SOURCE_CONNECTION, fd, 0, connection};
		connection->spill.fd = -1;
		connection->next = shim->connections;
		shim->connections = connection;
		watch(shim, &connection->source, EPOLLIN);
	}
}

off_t connection_backlog(const struct connection *connection)
{
	return connection->spill.end - connection->spill.start;
}

/* Input waits for the process to take what it has. */
static bool input_is_blocked(const struct connection *connection)
{
	return connection->attached && connection->incoming_length;
}

static void update_watch(struct connection *connection)
{
	uint32_t events = 0;

	if (!connection->input_ended && !input_is_blocked(connection))
		events |= EPOLLIN;
	if (connection_backlog(connection) > 0 && !connection->peer_is_gone)
		events |= EPOLLOUT;
	/* Without a wish it is still told of a hangup, except when that is known already. */
	if (!events && !connection->peer_is_gone)
		events = EPOLLHUP;
	watch(connection->shim, &connection->source, events);
}

/* Nothing can be sent any more; input that the client has left behind is still delivered. */
static void lose_peer(struct connection *connection)
{
	connection->peer_is_gone = true;
	connection->spill.start = connection->spill.end = 0;
	if (!connection->attached || connection->input_ended || connection->closing)
		connection_close(connection);
	else
		update_watch(connection);
}

static int open_spill(struct connection *connection)
{
	static const char name[] = "spill";
	int directory = connection->shim->directory;
	int fd = openat(directory, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0) { /* not every file system has it */
		fd = openat(directory, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd >= 0)
			unlinkat(directory, name, 0);
	}
	connection->spill.fd = fd;
	return fd < 0 ? -errno : 0;
}

static void spill(struct connection *connection, const uint8_t *bytes, size_t length)
{
	struct spill *file = &connection->spill;

	if (file->fd < 0 && open_spill(connection) < 0) {
		connection_close(connection);
		return;
	}
	while (length) {
		ssize_t done = pwrite(file->fd, bytes, length, file->end);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0) { /* no room: this client loses its stream, the container goes on */
			connection_close(connection);
			return;
		}
		file->end += done;
		bytes += done;
		length -= (size_t)done;
	}
	update_watch(connection);
}

void connection_send(struct connection *connection, const void *bytes, size_t length)
{
	ssize_t sent = 0;

	if (connection->source.fd < 0 || connection->peer_is_gone)
		return;
	if (connection_backlog(connection) == 0) {
		do
			sent = send(connection->source.fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
		while (sent < 0 && errno == EINTR);
		if (sent < 0 && errno != EAGAIN) {
			lose_peer(connection);
			return;
		}
		if (sent < 0)
			sent = 0;
	}
	if ((size_t)sent < length)
		spill(connection, (const uint8_t *)bytes + sent, length - (size_t)sent);
}

static void flush_spill(struct connection *connection)
{
	struct spill *file = &connection->spill;

	while (file->start < file->end) {
		off_t left = file->end - file->start;
		ssize_t sent = sendfile(connection->source.fd, file->fd, &file->start,
					left < (off_t)SENDFILE_BYTES ? (size_t)left : SENDFILE_BYTES);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0 && errno == EAGAIN)
			break;
		if (sent <= 0) {
			lose_peer(connection);
			return;
		}
	}
	if (file->start == file->end) {
		file->start = file->end = 0;
		connection->lagging = false;
		if (ftruncate(file->fd, 0) < 0) { /* only room is lost */
			close(file->fd);
			file->fd = -1;
		}
		if (connection->closing) {
			connection_close(connection);
			return;
		}
	}
	update_watch(connection);
}

/* Gives the room of what was sent back to the file system, a megabyte or more at a time. */
static void punch_spill(struct connection *connection)
{
	struct spill *file = &connection->spill;

	if (file->fd >= 0 && file->start >= (off_t)(64 * SENDFILE_BYTES))
		fallocate(file->fd, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, 0, file->start);
}

/* messages ---------------------------------------------------------------------------------------------------- */

static bool reserve(struct connection *connection, size_t size)
{
	uint8_t *bytes;

	if (size <= connection->incoming_size)
		return true;
	bytes = realloc(connection->incoming, size);
	if (!bytes)
		return false;
	connection->incoming = bytes;
	connection->incoming_size = size;
	return true;
}

static void drop_incoming(struct connection *connection)
{
	free(connection->incoming);
	connection->incoming = NULL;
	connection->incoming_length = connection->incoming_size = 0;
}

static uint32_t little_endian(const uint8_t *at, unsigned bytes)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < bytes; i++)
		value |= (uint32_t)at[i] << (8 * i);
	return value;
}

/* Takes `length` bytes off the front of what has come in. */
static void consume(struct connection *connection, size_t length)
{
	connection->incoming_length -= length;
	memmove(connection->incoming, connection->incoming + length, connection->incoming_length);
	if (!connection->incoming_length && connection->incoming_size > FIRST_INCOMING_BYTES)
		drop_incoming(connection);
}

/* Answers every complete message; what follows an ATTACH is input. */
static void answer_messages(struct connection *connection)
{
	while (connection->source.fd >= 0 && !connection->attached &&
	       connection->incoming_length >= MESSAGE_HEADER_BYTES) {
		const uint8_t *at = connection->incoming;
		uint32_t length = little_endian(at, 4);
		uint16_t type = (uint16_t)little_endian(at + 4, 2);
		uint16_t tag = (uint16_t)little_endian(at + 6, 2);
		struct slice payload = {at + MESSAGE_HEADER_BYTES, length};

		if (length > MESSAGE_MAX_BYTES) {
			send_error(connection, tag, EMSGSIZE, "the message is too long");
			connection_finish(connection);
			return;
		}
		if (connection->incoming_length < MESSAGE_HEADER_BYTES + length) {
			if (!reserve(connection, MESSAGE_HEADER_BYTES + length))
				connection_close(connection);
			return;
		}
		if (!answer_request(connection, type, tag, payload)) {
			connection_finish(connection);
			return;
		}
		consume(connection, MESSAGE_HEADER_BYTES + length);
	}
}

/* Returns false when nothing more can be read now. */
static bool read_messages(struct connection *connection)
{
	ssize_t got;

	if (connection->incoming_size - connection->incoming_length == 0 &&
	    !reserve(connection, connection->incoming_size ? connection->incoming_size * 2 : FIRST_INCOMING_BYTES)) {
		connection_close(connection);
		return false;
	}
	got = recv(connection->source.fd, connection->incoming + connection->incoming_length,
		   connection->incoming_size - connection->incoming_length, MSG_DONTWAIT);
	if (got < 0)
		return errno == EINTR;
	if (got == 0) {
		connection->input_ended = true;
		return false;
	}
	connection->incoming_length += (size_t)got;
	answer_messages(connection);
	return true;
}

/* raw input --------------------------------------------------------------------------------------------------- */

/*
 * Writes to the process's stdin. Returns how many bytes are done with: all of them when nobody reads them any more.
 */
static size_t write_input(struct connection *connection, const uint8_t *bytes, size_t length)
{
	struct process *process = connection->process;
	ssize_t done;

	if (!process || process->input.fd < 0 || !(connection->streams & STREAM_STDIN))
		return length;
	do
		done = write(process->input.fd, bytes, length);
	while (done < 0 && errno == EINTR);
	if (done < 0 && errno == EAGAIN)
		done = 0;
	if (done < 0) /* EPIPE: it has closed its stdin */
		return length;
	if ((size_t)done < length)
		watch(connection->shim, &process->input, EPOLLOUT);
	return (size_t)done;
}

static void end_input(struct connection *connection)
{
	struct process *process = connection->process;

	connection->input_ended = true;
	if (process && connection->streams & STREAM_STDIN && process->flags & FLAG_STDIN_ONCE &&
	    !(process->flags & FLAG_TTY))
		input_close(process);
}

/* Returns false when nothing more can be read or delivered now. */
static bool pass_input(struct connection *connection)
{
	struct shim *shim = connection->shim;
	uint8_t *chunk = INPUT_CHUNK(shim);
	ssize_t got = recv(connection->source.fd, chunk, CHUNK_BYTES, MSG_DONTWAIT);
	size_t done;

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return errno == EINTR;
	if (got <= 0) {
		end_input(connection);
		return false;
	}
	shim->buffers_used = shim->buffers_used || got > 2048;
	done = write_input(connection, chunk, (size_t)got);
	if (done == (size_t)got)
		return true;
	if (!reserve(connection, (size_t)got - done)) {
		connection_close(connection);
		return false;
	}
	connection->incoming_length = (size_t)got - done;
	memcpy(connection->incoming, chunk + done, connection->incoming_length);
	return false;
}

void connection_feed(struct connection *connection)
{
	if (connection->source.fd < 0)
		return;
	if (connection->incoming_length) {
		size_t done = write_input(connection, connection->incoming, connection->incoming_length);

		consume(connection, done);
		if (connection->incoming_length)
			return;
		drop_incoming(connection);
	}
	/* The peer may be gone since long; its last words stand in the socket. */
	while (connection->peer_is_gone && !connection->input_ended && pass_input(connection))
		;
	if (connection->peer_is_gone && connection->input_ended)
		connection_close(connection);
	else if (connection->source.fd >= 0)
		update_watch(connection);
}

/* events ------------------------------------------------------------------------------------------------------ */

static void read_connection(struct connection *connection)
{
	for (int i = 0; i < 4 && connection->source.fd >= 0 && !connection->input_ended; i++) {
		if (connection->attached && connection->incoming_length) /* input came right behind ATTACH */
			break;
		if (!(connection->attached ? pass_input(connection) : read_messages(connection)))
			break;
	}
	if (connection->attached && connection->incoming_length)
		connection_feed(connection);
}

void connection_event(struct connection *connection, uint32_t events)
{
	if (events & EPOLLIN)
		read_connection(connection);
	if (connection->source.fd >= 0 && events & EPOLLOUT && connection_backlog(connection) > 0) {
		flush_spill(connection);
		punch_spill(connection);
	}
	if (connection->source.fd < 0)
		return;
	/* A client of messages that sends no more is done; one that is attached may still read. */
	if (connection->input_ended && !connection->attached)
		connection_finish(connection);
	else if (events & (EPOLLHUP | EPOLLERR) && !(events & EPOLLIN && !connection->input_ended &&
						      !input_is_blocked(connection)))
		lose_peer(connection);
	else
		update_watch(connection);
}

void connection_finish(struct connection *connection)
{
	if (connection->source.fd < 0)
		return;
	connection->closing = true;
	if (connection_backlog(connection) == 0 || connection->peer_is_gone)
		connection_close(connection);
}

static void forget_requester(struct connection *connection)
{
	for (struct process *process = connection->shim->processes; process; process = process->next)
		if (process->requester == connection)
			process->requester = NULL;
}

/* Closing a socket that has unread bytes would tell the peer of a reset instead of the end. */
static void discard_incoming(struct connection *connection)
{
	uint8_t unread[4096];

	shutdown(connection->source.fd, SHUT_RDWR);
	while (recv(connection->source.fd, unread, sizeof(unread), MSG_DONTWAIT) > 0)
		;
}

void connection_close(struct connection *connection)
{
	struct shim *shim = connection->shim;

	if (connection->source.fd < 0)
		return;
	if (connection->attached && !connection->input_ended && !connection->closing)
		end_input(connection);
	if (connection->source.fd < 0) /* end_input may have come back here */
		return;
	discard_incoming(connection);
	source_close(shim, &connection->source);
	if (connection->subscribed)
		shim->subscribers--;
	forget_requester(connection);
}

/* Frees what was closed; between events, as an event may still point at it. */
void connections_sweep(struct shim *shim)
{
	for (struct connection **link = &shim->connections; *link;) {
		struct connection *connection = *link;

		if (connection->source.fd >= 0) {
			link = &connection->next;
			continue;
		}
		*link = connection->next;
		if (connection->spill.fd >= 0)
			close(connection->spill.fd);
		free(connection->incoming);
		free(connection);
	}
}

void broadcast(struct shim *shim, const void *bytes, size_t length)
{
	for (struct connection *c = shim->connections; c; c = c->next)
		if (c->subscribed)
			connection_send(c, bytes, length);
}

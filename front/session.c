#include "session.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "protocol.h"
#include "terminal.h"
#include "text.h"

#define HELLO_MAX_BYTES (1u << 20)
#define HEAD_MAX_BYTES 4096
#define CONFIG_MAX_BYTES 16384
#define LOST_ENGINE_CODE 125

#ifndef BUILD_ID
#error "BUILD_ID has to name the build, as the full program's does"
#endif

static const char upgrade[] = "POST /gantry/command HTTP/1.1\r\nHost: gantry\r\nConnection: Upgrade\r\n"
			      "Upgrade: tcp\r\nContent-Length: 0\r\n\r\n";

static const char lost_engine[] = "gantry: the connection to the engine broke\n";

struct session {
	int socket;
	int signals; /* a signalfd over `taken` */
	sigset_t taken;
	bool wants_input;
	bool is_declined;
	int exit_code; /* -1 until it is known */
	size_t length; /* bytes in `buffer` */
	uint8_t buffer[FRAME_HEADER_BYTES + FRAME_MAX_BYTES];
};

static int connect_engine(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd;

	if (strlen(path) >= sizeof(address.sun_path))
		return -1;
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static bool send_all(int fd, const void *bytes, size_t length)
{
	const uint8_t *at = bytes;

	while (length > 0) {
		ssize_t sent = send(fd, at, length, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return false;
		at += sent;
		length -= (size_t)sent;
	}
	return true;
}

static void put_header(uint8_t *at, uint8_t type, size_t length)
{
	at[0] = type;
	for (int i = 0; i < 4; i++)
		at[1 + i] = (uint8_t)(length >> (8 * i));
}

static bool send_frame(struct session *session, uint8_t type, const void *payload, size_t length)
{
	uint8_t frame[FRAME_HEADER_BYTES + 4];

	put_header(frame, type, length);
	memcpy(frame + FRAME_HEADER_BYTES, payload, length);
	return send_all(session->socket, frame, FRAME_HEADER_BYTES + length);
}

static void add_field(struct text *text, const char *field)
{
	text_add_bytes(text, field, strlen(field) + 1);
}

static void add_number_field(struct text *text, int64_t number)
{
	text_add_number(text, number);
	text_add_bytes(text, "", 1);
}

/* Whether the text names any of what keeps a login; a large one is not looked through. */
static bool names_login(int fd)
{
	static const char *const words[] = {"\"auth\"", "token", "credsStore", "credHelpers"};
	char text[CONFIG_MAX_BYTES];
	ssize_t length = read(fd, text, sizeof(text));

	if (length < 0 || length == (ssize_t)sizeof(text))
		return true;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (memmem(text, (size_t)length, words[i], strlen(words[i])))
			return true;
	}
	return false;
}

/* Docker's config.json, with the logins of registries: a command that may need one has to be this user's own process. */
static bool has_login(void)
{
	const char *directory = getenv("DOCKER_CONFIG"), *home = getenv("HOME");
	char buffer[PATH_MAX];
	struct text path;
	bool found;
	int fd;

	text_start(&path, buffer, sizeof(buffer));
	text_add(&path, directory && *directory ? directory : home ? home : "");
	text_add(&path, directory && *directory ? "/config.json" : "/.docker/config.json");
	if (path.length + 1 >= path.size)
		return true;
	fd = open(buffer, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return errno != ENOENT;
	found = names_login(fd);
	close(fd);
	return found;
}

/* The fields of HELLO; `text` is full when they do not fit. */
static void describe_ourselves(struct text *text, char **argv, char **env)
{
	uint16_t rows = 0, columns = 0;
	char cwd[PATH_MAX];
	int count = 0;

	while (argv[count])
		count++;
	terminal_size(&rows, &columns);
	add_field(text, BUILD_ID);
	add_field(text, getcwd(cwd, sizeof(cwd)) ? cwd : "");
	add_field(text, has_login() ? "1" : "0");
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		add_field(text, isatty(fd) ? "1" : "0");
	add_number_field(text, rows);
	add_number_field(text, columns);
	add_number_field(text, count - 1);
	for (char **each = argv + 1; *each; each++)
		add_field(text, *each);
	for (char **each = env; *each; each++)
		add_field(text, *each);
}

/* The request and the first frame at once: the engine's agreement needs not be awaited. */
static bool greet(int fd, char **argv, char **env)
{
	static char message[HELLO_MAX_BYTES];
	size_t start = sizeof(upgrade) - 1 + FRAME_HEADER_BYTES;
	struct text text;

	text_start(&text, message + start, sizeof(message) - start);
	describe_ourselves(&text, argv, env);
	if (text.length + 1 >= text.size)
		return false;
	memcpy(message, upgrade, sizeof(upgrade) - 1);
	put_header((uint8_t *)message + sizeof(upgrade) - 1, FRAME_HELLO, text.length);
	return send_all(fd, message, start + text.length);
}

/* Reads the head of the answer; false when it is not an upgrade. Bytes behind it are kept. */
static bool read_head(struct session *session)
{
	while (session->length < HEAD_MAX_BYTES) {
		ssize_t got = read(session->socket, session->buffer + session->length,
				   sizeof(session->buffer) - session->length);
		const uint8_t *end;

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		session->length += (size_t)got;
		end = memmem(session->buffer, session->length, "\r\n\r\n", 4);
		if (!end)
			continue;
		if (memcmp(session->buffer, "HTTP/1.1 101 ", 13) != 0)
			return false;
		end += 4;
		session->length -= (size_t)(end - session->buffer);
		memmove(session->buffer, end, session->length);
		return true;
	}
	return false;
}

/* A signal that a command takes over comes to it as a frame, and no longer to this process. */
static void change_taken(struct session *session, uint8_t number, bool take)
{
	sigset_t one;

	sigemptyset(&one);
	sigaddset(&one, number);
	if (take)
		sigaddset(&session->taken, number);
	else
		sigdelset(&session->taken, number);
	session->signals = signalfd(session->signals, &session->taken, SFD_CLOEXEC | SFD_NONBLOCK);
	sigprocmask(take ? SIG_BLOCK : SIG_UNBLOCK, &one, NULL);
}

/* Blocks while our reader is slow: then the engine is not read either, and waits. */
static void print(int fd, const void *bytes, size_t length)
{
	const uint8_t *at = bytes;

	while (length > 0) {
		ssize_t done = write(fd, at, length);

		if (done < 0 && errno == EAGAIN) {
			/* Somebody who shares the descriptor made it non-blocking. */
			poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, -1);
		} else if (done < 0 && errno != EINTR) {
			terminal_restore();
			_exit(errno == EPIPE ? 128 + SIGPIPE : 1); /* the signal itself was ignored */
		} else if (done > 0) {
			at += done;
			length -= (size_t)done;
		}
	}
}

static void obey(struct session *session, uint8_t type, const uint8_t *payload, size_t length)
{
	switch (type) {
	case FRAME_OUTPUT: print(STDOUT_FILENO, payload, length); break;
	case FRAME_ERROR: print(STDERR_FILENO, payload, length); break;
	case FRAME_READ: session->wants_input = true; break;
	case FRAME_TAKE:
	case FRAME_RELEASE:
		if (length == 1)
			change_taken(session, payload[0], type == FRAME_TAKE);
		break;
	case FRAME_RAW: terminal_raw(); break;
	case FRAME_COOKED: terminal_restore(); break;
	case FRAME_EXIT: session->exit_code = length == 1 ? payload[0] : LOST_ENGINE_CODE; break;
	case FRAME_DECLINE: session->is_declined = true; break;
	default: break; /* the build is the same, so there is no other */
	}
}

static bool is_over(const struct session *session)
{
	return session->exit_code >= 0 || session->is_declined;
}

static uint32_t payload_length(const uint8_t *header)
{
	return header[1] | (uint32_t)header[2] << 8 | (uint32_t)header[3] << 16 | (uint32_t)header[4] << 24;
}

/* Obeys every whole frame of the buffer; false for one that is too long. */
static bool obey_received(struct session *session)
{
	size_t at = 0;

	while (session->length - at >= FRAME_HEADER_BYTES && !is_over(session)) {
		const uint8_t *frame = session->buffer + at;
		uint32_t length = payload_length(frame);

		if (length > FRAME_MAX_BYTES)
			return false;
		if (session->length - at < FRAME_HEADER_BYTES + length)
			break;
		obey(session, frame[0], frame + FRAME_HEADER_BYTES, length);
		at += FRAME_HEADER_BYTES + length;
	}
	session->length -= at;
	memmove(session->buffer, session->buffer + at, session->length);
	return true;
}

static bool receive(struct session *session)
{
	ssize_t got = read(session->socket, session->buffer + session->length,
			   sizeof(session->buffer) - session->length);

	if (got < 0 && errno == EINTR)
		return true;
	if (got <= 0)
		return false;
	session->length += (size_t)got;
	return obey_received(session);
}

/* One chunk of standard input for one READ. */
static bool pass_input(struct session *session)
{
	static uint8_t frame[FRAME_HEADER_BYTES + FRAME_MAX_BYTES];
	ssize_t got = read(STDIN_FILENO, frame + FRAME_HEADER_BYTES, FRAME_MAX_BYTES);

	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	if (got < 0)
		got = 0; /* a terminal that hung up has no more */
	session->wants_input = false;
	put_header(frame, FRAME_INPUT, (size_t)got);
	return send_all(session->socket, frame, FRAME_HEADER_BYTES + (size_t)got);
}

static bool pass_size(struct session *session)
{
	uint16_t rows, columns;
	uint8_t size[4];

	if (!terminal_size(&rows, &columns))
		return true;
	memcpy(size, (uint8_t[]){rows & 0xff, rows >> 8, columns & 0xff, columns >> 8}, sizeof(size));
	return send_frame(session, FRAME_SIZE, size, sizeof(size));
}

static bool pass_signals(struct session *session)
{
	struct signalfd_siginfo info;

	while (read(session->signals, &info, sizeof(info)) == sizeof(info)) {
		uint8_t number = (uint8_t)info.ssi_signo;

		if (number == SIGWINCH && !pass_size(session))
			return false;
		if (!send_frame(session, FRAME_SIGNAL, &number, 1))
			return false;
	}
	return true;
}

/* One round of waiting; false when the engine is gone. */
static bool attend(struct session *session)
{
	struct pollfd ready[] = {
		{.fd = session->socket, .events = POLLIN},
		{.fd = session->signals, .events = POLLIN},
		{.fd = session->wants_input ? STDIN_FILENO : -1, .events = POLLIN},
	};

	if (poll(ready, 3, -1) < 0)
		return errno == EINTR;
	if (ready[1].revents && !pass_signals(session))
		return false;
	if (ready[0].revents)
		return receive(session);
	return !ready[2].revents || pass_input(session);
}

/* Whatever signals were taken are the process's own again. */
static void release_all(struct session *session)
{
	terminal_restore();
	sigprocmask(SIG_UNBLOCK, &session->taken, NULL);
}

int run_session(const char *socket_path, char **argv, char **env)
{
	static struct session session;
	bool is_connected;

	session.signals = -1;
	session.exit_code = -1;
	session.socket = connect_engine(socket_path);
	if (session.socket < 0)
		return SESSION_DECLINED;
	sigemptyset(&session.taken);
	if (!greet(session.socket, argv, env) || !read_head(&session)) {
		close(session.socket);
		return SESSION_DECLINED;
	}
	is_connected = obey_received(&session);
	while (is_connected && !is_over(&session))
		is_connected = attend(&session);
	close(session.socket);
	release_all(&session);
	if (session.is_declined)
		return SESSION_DECLINED;
	if (session.exit_code >= 0)
		return session.exit_code;
	print(STDERR_FILENO, lost_engine, sizeof(lost_engine) - 1);
	return LOST_ENGINE_CODE;
}

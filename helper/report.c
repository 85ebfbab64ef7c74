#include "report.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "system.h"

/* The record on the wire, between two processes of one binary. */
struct wire_record {
	uint32_t type;
	uint32_t first;
	uint32_t second;
	struct failure failure;
};

union control {
	struct cmsghdr header;
	char space[CMSG_SPACE(sizeof(int))];
};

int sync_pair(int *monitor_end, int *process_end)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	*monitor_end = pair[0];
	*process_end = pair[1];
	return 0;
}

static int send_record(int sync, const struct wire_record *record, size_t length, int fd)
{
	union control control;
	struct iovec part = {(void *)record, length};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	ssize_t sent;

	if (fd >= 0) {
		struct cmsghdr *header;

		memset(&control, 0, sizeof(control));
		message.msg_control = control.space;
		message.msg_controllen = sizeof(control.space);
		header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(header), &fd, sizeof(int));
	}
	do
		sent = fd >= 0 ? sendmsg(sync, &message, MSG_NOSIGNAL) : write(sync, record, length);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

int sync_send(int sync, enum sync_type type)
{
	return sync_send_numbers(sync, type, 0, 0);
}

int sync_send_numbers(int sync, enum sync_type type, uint32_t first, uint32_t second)
{
	struct wire_record record = {.type = type, .first = first, .second = second};

	return send_record(sync, &record, offsetof(struct wire_record, failure), -1);
}

int sync_send_fd(int sync, enum sync_type type, int fd)
{
	struct wire_record record = {.type = type};

	return send_record(sync, &record, offsetof(struct wire_record, failure), fd);
}

int sync_send_failure(int sync, enum sync_type type, const struct failure *failure)
{
	struct wire_record record = {.type = type, .failure = *failure};
	size_t text = strnlen(failure->detail, DETAIL_BYTES - 1);

	return send_record(sync, &record,
			   offsetof(struct wire_record, failure) + offsetof(struct failure, detail) + text, -1);
}

static int received_fd(struct msghdr *message)
{
	struct cmsghdr *header = CMSG_FIRSTHDR(message);
	int fd = -1;

	if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS &&
	    header->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&fd, CMSG_DATA(header), sizeof(int));
	return fd;
}

int sync_receive(int sync, int flags, struct sync_record *record)
{
	struct wire_record wire;
	union control control;
	struct iovec part = {&wire, sizeof(wire) - 1};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = control.space,
				 .msg_controllen = sizeof(control.space)};
	ssize_t got;

	memset(&wire, 0, sizeof(wire));
	do
		got = recvmsg(sync, &message, flags | MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	/* ECONNRESET: the other side ended with a record of ours unread, which is an end as well. */
	if (got < 0 && errno != ECONNRESET)
		return -errno;
	if (got <= 0)
		return 0;
	record->type = (uint8_t)wire.type;
	record->first = wire.first;
	record->second = wire.second;
	record->failure = wire.failure;
	record->fd = received_fd(&message);
	return 1;
}

/* Returns 0 for the answer that was wanted; *fd is what came with it, or -1. */
static int take_answer(int sync, enum sync_type wanted, struct failure *failure, int *fd)
{
	struct sync_record record;
	int got = sync_receive(sync, 0, &record);

	*fd = -1;
	if (got <= 0)
		return got < 0 ? got : -EPIPE;
	*fd = record.fd;
	if (record.type == wanted)
		return 0;
	if (record.type == SYNC_REFUSED)
		memcpy(failure->detail, record.failure.detail, DETAIL_BYTES);
	return record.type == SYNC_REFUSED && record.failure.error > 0 ? -record.failure.error : -EPROTO;
}

int sync_expect(int sync, enum sync_type wanted, struct failure *failure)
{
	int fd, error = take_answer(sync, wanted, failure, &fd);

	if (fd >= 0)
		close(fd);
	return error;
}

int sync_expect_fd(int sync, enum sync_type wanted, struct failure *failure)
{
	int fd, error = take_answer(sync, wanted, failure, &fd);

	if (!error)
		return fd < 0 ? -EPROTO : fd;
	if (fd >= 0)
		close(fd);
	return error;
}

/* File descriptors over unix sockets (unix(7), SCM_RIGHTS). */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "arguments.h"
#include "calls.h"

#define MAX_FDS 253 /* SCM_MAX_FD of the kernel */

union control {
	char bytes[CMSG_SPACE(sizeof(int) * MAX_FDS)];
	struct cmsghdr align;
};

napi_value call_send_fds(napi_env env, napi_callback_info info)
{
	napi_value values[3];
	union control control = { 0 };
	struct iovec part;
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	uint32_t count;
	ssize_t sent;
	int socket, *fds;

	if (!read_arguments(env, info, 3, values) || !read_int(env, values[0], "socket", &socket) ||
	    !read_bytes(env, values[1], "data", &part.iov_base, &part.iov_len) ||
	    !read_ints(env, values[2], "fds", MAX_FDS, &fds, &count))
		return NULL;
	if (count > 0) {
		struct cmsghdr *header = (struct cmsghdr *)control.bytes;

		message.msg_control = control.bytes;
		message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int) * count);
		memcpy(CMSG_DATA(header), fds, sizeof(int) * count);
	}
	do
		sent = sendmsg(socket, &message, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	free(fds);
	return number(env, sent < 0 ? -errno : sent);
}

/* Copies the received descriptors out; returns how many. */
static uint32_t take_fds(struct msghdr *message, int *fds)
{
	struct cmsghdr *header;
	uint32_t count = 0;

	for (header = CMSG_FIRSTHDR(message); header; header = CMSG_NXTHDR(message, header)) {
		size_t length;

		if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
			continue;
		length = header->cmsg_len - CMSG_LEN(0);
		memcpy(&fds[count], CMSG_DATA(header), length);
		count += length / sizeof(int);
	}
	return count;
}

static void close_all(const int *fds, uint32_t count)
{
	uint32_t index;

	for (index = 0; index < count; index++)
		close(fds[index]);
}

/* { bytes, fds } */
static napi_value received(napi_env env, ssize_t bytes, const int *fds, uint32_t count)
{
	napi_value result, array;
	uint32_t index;

	if (napi_create_object(env, &result) != napi_ok ||
	    napi_create_array_with_length(env, count, &array) != napi_ok)
		return NULL;
	for (index = 0; index < count; index++)
		if (napi_set_element(env, array, index, number(env, fds[index])) != napi_ok)
			return NULL;
	if (napi_set_named_property(env, result, "bytes", number(env, bytes)) != napi_ok ||
	    napi_set_named_property(env, result, "fds", array) != napi_ok)
		return NULL;
	return result;
}

napi_value call_recv_fds(napi_env env, napi_callback_info info)
{
	napi_value values[3], result;
	union control control;
	struct iovec part;
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	int socket, max_fds, fds[MAX_FDS];
	uint32_t count;
	ssize_t bytes;

	if (!read_arguments(env, info, 3, values) || !read_int(env, values[0], "socket", &socket) ||
	    !read_bytes(env, values[1], "buffer", &part.iov_base, &part.iov_len) ||
	    !read_int(env, values[2], "maxFds", &max_fds))
		return NULL;
	if (max_fds < 0 || max_fds > MAX_FDS) {
		throw_type(env, "maxFds must be between 0 and 253");
		return NULL;
	}
	message.msg_control = control.bytes;
	/* Exact length, without CMSG_SPACE's padding: in it the kernel would fit one descriptor more. */
	message.msg_controllen = max_fds ? CMSG_LEN(sizeof(int) * (size_t)max_fds) : 0;
	do
		bytes = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
	while (bytes < 0 && errno == EINTR);
	if (bytes < 0)
		return number(env, -errno);
	count = take_fds(&message, fds);
	if (message.msg_flags & MSG_CTRUNC) {
		close_all(fds, count); /* half a set is of no use to anybody */
		return number(env, -EMSGSIZE);
	}
	result = received(env, bytes, fds, count);
	if (!result)
		close_all(fds, count);
	return result;
}

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "message.h"
#include "plan.h"
#include "report.h"
#include "test.h"

static void test_failed(void)
{
	struct failure failure = {.step = 7, .error = 13};
	uint8_t bytes[MESSAGE_SMALL_BYTES];
	struct cursor cursor;
	size_t length;

	TEST("FAILED has its header, its numbers and its text");
	strcpy(failure.detail, "/etc/shadow");
	length = message_failed(bytes, 21, 3, &failure);
	cursor = (struct cursor){bytes, bytes + length, false};
	CHECK(read_u32(&cursor) == length - MESSAGE_HEADER_BYTES);
	CHECK(read_u16(&cursor) == MESSAGE_FAILED);
	CHECK(read_u16(&cursor) == 21);
	CHECK(read_u32(&cursor) == 3);
	CHECK(read_u32(&cursor) == 7);
	CHECK(read_u32(&cursor) == 13);
	CHECK(strcmp(read_string(&cursor), "/etc/shadow") == 0);
	CHECK(!cursor.bad && cursor.at == cursor.end);

	TEST("the longest detail fits");
	memset(failure.detail, 'x', sizeof(failure.detail));
	failure.detail[sizeof(failure.detail) - 1] = 0;
	length = message_failed(bytes, 0, 0, &failure);
	cursor = (struct cursor){bytes + MESSAGE_HEADER_BYTES + 12, bytes + length, false};
	CHECK(strlen(read_string(&cursor)) == sizeof(failure.detail) - 1 && !cursor.bad);
}

static void test_sync(void)
{
	struct failure failure = {.step = 2, .error = 5};
	struct sync_record record;
	int monitor, process;

	TEST("records of the preparation");
	CHECK(sync_pair(&monitor, &process) == 0);
	CHECK(sync_send_numbers(process, SYNC_HOOK, 4, 5) == 0);
	strcpy(failure.detail, "because");
	CHECK(sync_send_failure(process, SYNC_FAILED, &failure) == 0);
	CHECK(sync_receive(monitor, 0, &record) == 1);
	CHECK(record.type == SYNC_HOOK && record.first == 4 && record.second == 5 && record.fd == -1);
	CHECK(sync_receive(monitor, 0, &record) == 1);
	CHECK(record.type == SYNC_FAILED && record.failure.step == 2 && record.failure.error == 5);
	CHECK(strcmp(record.failure.detail, "because") == 0);
	CHECK(sync_receive(monitor, MSG_DONTWAIT, &record) < 0);

	TEST("a descriptor is passed along");
	CHECK(sync_send_fd(process, SYNC_CONSOLE, STDIN_FILENO) == 0);
	CHECK(sync_receive(monitor, 0, &record) == 1);
	CHECK(record.type == SYNC_CONSOLE && record.fd > 2);
	close(record.fd);

	TEST("a refusal carries its text and errno");
	CHECK(sync_send_failure(monitor, SYNC_REFUSED, &failure) == 0);
	memset(&failure, 0, sizeof(failure));
	CHECK(sync_expect(process, SYNC_DONE, &failure) == -5);
	CHECK(strcmp(failure.detail, "because") == 0);

	TEST("the end of the other side");
	close(process);
	CHECK(sync_receive(monitor, 0, &record) == 0);
	close(monitor);
}

void test_messages(void)
{
	test_failed();
	test_sync();
}

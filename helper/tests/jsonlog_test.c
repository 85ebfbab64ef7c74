#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "jsonlog.h"
#include "test.h"
#include "text.h"

static const char *path_of(const char *name)
{
	static char path[256];
	struct text text = TEXT_IN(path);

	text_add(&text, test_directory());
	text_add(&text, "/");
	text_add(&text, name);
	return path;
}

static struct json_log *open_log(const char *name, uint64_t max_bytes, uint32_t max_files)
{
	static char kept[256];
	struct json_log *log = calloc(1, sizeof(*log));

	if (!log)
		abort();
	log->encoded = malloc(LOG_ENCODE_BYTES);
	strcpy(kept, path_of(name));
	unlink(kept);
	if (log_open(log, kept, max_bytes, max_files) < 0)
		abort();
	return log;
}

static void close_log(struct json_log *log)
{
	close(log->fd);
	free(log->encoded);
	free(log);
}

static void log_text(struct json_log *log, unsigned stream, const char *text)
{
	log_output(log, stream, (const uint8_t *)text, strlen(text));
}

/* Whether the only entry of a fresh log, made of these bytes, has this value of "log". */
static bool logs_as(const char *bytes, size_t length, const char *wanted)
{
	struct json_log *log = open_log("one", 0, 0);
	char start[512];
	struct text text = TEXT_IN(start);
	bool same;

	text_add(&text, "{\"log\":\"");
	text_add(&text, wanted);
	text_add(&text, "\",\"stream\":\"stdout\",\"time\":\"");
	log_output(log, 0, (const uint8_t *)bytes, length);
	log_finish(log, 0);
	same = strncmp(read_text(log->path), start, text.length) == 0;
	close_log(log);
	return same;
}

#define LOGS(bytes, wanted) CHECK(logs_as(bytes, sizeof(bytes) - 1, wanted))

static void test_escapes(void)
{
	TEST("what JSON reserves is escaped");
	LOGS("a\"b\\c\n", "a\\\"b\\\\c\\n");
	LOGS("\t\r\b\f\x01\x1f\x7f\n", "\\t\\r\\b\\f\\u0001\\u001f\x7f\\n");
	LOGS("nul\0!\n", "nul\\u0000!\\n");
	LOGS("<a href=\"x\">&amp;\n", "<a href=\\\"x\\\">&amp;\\n");

	TEST("UTF-8 stays as it is");
	LOGS("h\xc3\xa4 \xe2\x82\xac \xf0\x9f\x90\xb3\n", "h\xc3\xa4 \xe2\x82\xac \xf0\x9f\x90\xb3\\n");

	TEST("invalid UTF-8 becomes U+FFFD, byte by byte");
	LOGS("\xff\n", "\\ufffd\\n");
	LOGS("a\xc3\n", "a\\ufffd\\n");
	LOGS("\xc0\x80\n", "\\ufffd\\ufffd\\n");	     /* overlong */
	LOGS("\xed\xa0\x80\n", "\\ufffd\\ufffd\\ufffd\\n"); /* a surrogate */
	LOGS("\xf4\x90\x80\x80\n", "\\ufffd\\ufffd\\ufffd\\ufffd\\n");
	LOGS("\xe2\x82\n", "\\ufffd\\ufffd\\n");

	TEST("line separators of JavaScript are escaped as Go does");
	LOGS("\xe2\x80\xa8\xe2\x80\xa9\n", "\\u2028\\u2029\\n");

	TEST("a line without an end");
	LOGS("end", "end");
}

static unsigned count_lines(const char *text)
{
	unsigned lines = 0;

	for (; *text; text++)
		lines += *text == '\n';
	return lines;
}

static void test_lines(void)
{
	struct json_log *log = open_log("lines", 0, 0);
	const char *text;

	TEST("a line may come in pieces, and the streams do not mix");
	log_text(log, 0, "one ");
	log_text(log, 1, "error\n");
	log_text(log, 0, "line\ntwo\nth");
	log_text(log, 0, "ree\n");
	text = read_text(log->path);
	CHECK(count_lines(text) == 4);
	CHECK(strncmp(text, "{\"log\":\"error\\n\",\"stream\":\"stderr\"", 33) == 0);
	CHECK(strstr(text, "{\"log\":\"one line\\n\",\"stream\":\"stdout\""));
	CHECK(strstr(text, "{\"log\":\"three\\n\""));

	TEST("nothing is logged at the end of a stream that ended with a line");
	log_finish(log, 0);
	log_finish(log, 1);
	CHECK(count_lines(read_text(log->path)) == 4);
	close_log(log);
}

static void test_time(void)
{
	struct json_log *log = open_log("time", 0, 0);
	const char *time;

	TEST("times are RFC 3339 in UTC");
	log_text(log, 0, "x\n");
	time = strstr(read_text(log->path), "\"time\":\"") + 8;
	CHECK(time[4] == '-' && time[7] == '-' && time[10] == 'T' && time[13] == ':' && time[16] == ':');
	CHECK(strchr(time, 'Z') && strchr(time, 'Z')[1] == '"');
	CHECK(strncmp(time, "20", 2) == 0);
	close_log(log);
}

static void test_long_lines(void)
{
	struct json_log *log = open_log("long", 0, 0);
	static char line[3 * LOG_PART_BYTES];
	const char *text;

	TEST("a long line is split, only its last part ends");
	memset(line, 'x', sizeof(line));
	line[40000] = '\n';
	log_output(log, 0, (uint8_t *)line, 40001);
	text = read_text(log->path);
	CHECK(count_lines(text) == 3);
	CHECK(text[8 + LOG_PART_BYTES] == '"');
	CHECK(strstr(text, "x\\n\",\"stream\""));
	close_log(log);

	TEST("no character is cut in two");
	log = open_log("long2", 0, 0);
	memset(line, 'x', sizeof(line));
	memcpy(line + LOG_PART_BYTES - 2, "\xf0\x9f\x90\xb3", 4);
	line[LOG_PART_BYTES + 10] = '\n';
	log_output(log, 0, (uint8_t *)line, LOG_PART_BYTES + 11);
	text = read_text(log->path);
	CHECK(count_lines(text) == 2);
	CHECK(!strstr(text, "ufffd"));
	CHECK(strstr(text, "{\"log\":\"\xf0\x9f\x90\xb3xxx"));
	close_log(log);

	TEST("the worst that a line can grow to");
	log = open_log("long3", 0, 0);
	memset(line, 1, sizeof(line));
	log_output(log, 0, (uint8_t *)line, sizeof(line));
	log_finish(log, 0);
	CHECK(count_lines(read_text(log->path)) == 3);
	close_log(log);
}

static void test_rotation(void)
{
	struct json_log *log = open_log("rotated", 200, 3);
	char name[300];
	struct text text = TEXT_IN(name);

	TEST("full logs move on, the oldest goes");
	for (int i = 0; i < 12; i++)
		log_text(log, 0, "a line of some length\n");
	CHECK(count_lines(read_text(log->path)) >= 1);
	text_add(&text, log->path);
	text_add(&text, ".1");
	CHECK(count_lines(read_text(name)) >= 2);
	name[text.length - 1] = '2';
	CHECK(count_lines(read_text(name)) >= 2);
	name[text.length - 1] = '3';
	CHECK(access(name, F_OK) < 0);
	close_log(log);

	TEST("with one file, it begins anew");
	log = open_log("single", 200, 1);
	for (int i = 0; i < 12; i++)
		log_text(log, 0, "a line of some length\n");
	CHECK(count_lines(read_text(log->path)) <= 3);
	close_log(log);
}

static void test_full_disk(void)
{
	struct json_log *log = open_log("full", 0, 0);

	TEST("a disk that takes nothing does not stop the log");
	close(log->fd);
	log->fd = open("/dev/full", O_WRONLY);
	log_text(log, 0, "lost\n");
	CHECK(log->encoded_length == 0);
	close_log(log);
}

/* A limit on the size of files cuts a write off in the middle, as a disk does that becomes full. */
static void test_torn_line(void)
{
	struct json_log *log = open_log("torn", 0, 0);
	struct rlimit before, full;
	const char *text;

	TEST("a line that did not fit leaves nothing of itself");
	getrlimit(RLIMIT_FSIZE, &before);
	signal(SIGXFSZ, SIG_IGN);
	log_text(log, 0, "first\n");
	full = (struct rlimit){log->written + 20, before.rlim_max};
	setrlimit(RLIMIT_FSIZE, &full);
	log_text(log, 0, "lost\n");
	setrlimit(RLIMIT_FSIZE, &before);
	log_text(log, 0, "third\n");
	text = read_text(log->path);
	CHECK(count_lines(text) == 2);
	CHECK(!strstr(text, "}{") && strstr(text, "\n{\"log\":\"third"));
	CHECK(strlen(text) == log->written);
	signal(SIGXFSZ, SIG_DFL);
	close_log(log);
}

void test_json_log(void)
{
	test_escapes();
	test_lines();
	test_time();
	test_long_lines();
	test_rotation();
	test_full_disk();
	test_torn_line();
}

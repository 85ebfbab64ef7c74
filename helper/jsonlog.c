#include "jsonlog.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "io.h"
#include "system.h"
#include "text.h"

static int open_file(struct json_log *log)
{
	struct stat info;

	log->fd = open(log->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
	if (log->fd < 0)
		return -errno;
	log->written = fstat(log->fd, &info) == 0 ? (uint64_t)info.st_size : 0;
	return 0;
}

int log_open(struct json_log *log, const char *path, uint64_t max_bytes, uint32_t max_files)
{
	log->path = path;
	log->max_bytes = max_bytes;
	log->max_files = max_files ? max_files : 1;
	log->second = UINT64_MAX;
	return open_file(log);
}

/* `PATH.N`, or PATH itself for 0; false when it is too long. */
static bool numbered_path(const struct json_log *log, uint32_t number, char *buffer, size_t size)
{
	struct text text;

	text_start(&text, buffer, size);
	text_add(&text, log->path);
	if (number) {
		text_add(&text, ".");
		text_add_number(&text, number);
	}
	return text.length + 1 < size;
}

/* PATH becomes PATH.1, PATH.1 becomes PATH.2, …; the oldest one goes. */
static void rotate(struct json_log *log)
{
	char from[PATH_MAX], to[PATH_MAX];

	if (log->max_files == 1) {
		if (ftruncate(log->fd, 0) == 0)
			log->written = 0;
		return;
	}
	for (uint32_t number = log->max_files - 1; number > 0; number--)
		if (numbered_path(log, number - 1, from, sizeof(from)) &&
		    numbered_path(log, number, to, sizeof(to)))
			rename(from, to);
	close(log->fd);
	open_file(log); /* on failure there is no log from here on; the container must not suffer from it */
}

/* Takes back what was written of lines that did not fit: the line behind a torn one could not be read. */
static void take_back(struct json_log *log)
{
	struct stat info;

	if (fstat(log->fd, &info) == 0 && (uint64_t)info.st_size > log->written &&
	    ftruncate(log->fd, (off_t)log->written) < 0)
		log->written = (uint64_t)info.st_size;
}

/* A full disk loses log lines, never output to a client, and never blocks the container. */
static void flush(struct json_log *log)
{
	if (log->encoded_length && log->fd >= 0) {
		if (write_all(log->fd, log->encoded, log->encoded_length) == 0)
			log->written += log->encoded_length;
		else
			take_back(log);
	}
	log->encoded_length = 0;
}

static void put(struct json_log *log, const void *bytes, size_t length)
{
	memcpy(log->encoded + log->encoded_length, bytes, length);
	log->encoded_length += length;
}

static void put_digits(char *to, unsigned count, uint64_t value)
{
	while (count--) {
		to[count] = (char)('0' + value % 10);
		value /= 10;
	}
}

/* Days since 1970 to a date, by counting from 0000-03-01, so that the leap day ends a year. */
static void put_date(char *to, uint64_t second)
{
	uint64_t days = second / 86400 + 719468;
	uint64_t era = days / 146097;
	uint64_t day_of_era = days % 146097;
	uint64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	uint64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	uint64_t shifted_month = (5 * day_of_year + 2) / 153;
	uint64_t month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;

	memcpy(to, "0000-00-00T00:00:00", 19);
	put_digits(to, 4, era * 400 + year_of_era + (month <= 2));
	put_digits(to + 5, 2, month);
	put_digits(to + 8, 2, day_of_year - (153 * shifted_month + 2) / 5 + 1);
	put_digits(to + 11, 2, second / 3600 % 24);
	put_digits(to + 14, 2, second / 60 % 60);
	put_digits(to + 17, 2, second % 60);
}

/* RFC 3339 with as many digits of the fraction as are not zero, as Go's RFC3339Nano has it. */
static void put_time(struct json_log *log, uint64_t time_ns)
{
	uint64_t second = time_ns / 1000000000u;
	char fraction[10] = ".";
	size_t length = sizeof(fraction);

	if (second != log->second) {
		put_date(log->date, second);
		log->second = second;
	}
	put(log, log->date, 19);
	put_digits(fraction + 1, 9, time_ns % 1000000000u);
	while (length > 1 && fraction[length - 1] == '0')
		length--;
	if (length > 1)
		put(log, fraction, length);
	put(log, "Z", 1);
}

/*
 * Length of the UTF-8 character at `at` as the Unicode Standard has it (table 3-7: no overlong forms, no surrogates,
 * nothing above U+10FFFF); 0 when it is invalid or cut off.
 */
static size_t utf8_length(const uint8_t *at, const uint8_t *end)
{
	uint8_t first = at[0], low = 0x80, high = 0xbf;
	size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;

	if (first < 0xc2 || first > 0xf4 || (size_t)(end - at) < length)
		return 0;
	if (first == 0xe0)
		low = 0xa0;
	else if (first == 0xed)
		high = 0x9f;
	else if (first == 0xf0)
		low = 0x90;
	else if (first == 0xf4)
		high = 0x8f;
	if (at[1] < low || at[1] > high)
		return 0;
	for (size_t i = 2; i < length; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	return length;
}

static void put_control(struct json_log *log, uint8_t byte)
{
	static const char hex[] = "0123456789abcdef";
	static const char shorts[] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
	char escaped[6] = {'\\', 'u', '0', '0', hex[byte >> 4], hex[byte & 15]};

	if (byte == '"' || byte == '\\' || (byte < sizeof(shorts) && shorts[byte])) {
		escaped[1] = byte < ' ' ? shorts[byte] : (char)byte;
		put(log, escaped, 2);
	} else {
		put(log, escaped, 6);
	}
}

/* One byte or character which cannot be copied as it is; returns what follows it. */
static const uint8_t *put_special(struct json_log *log, const uint8_t *at, const uint8_t *end)
{
	size_t length;

	if (*at < 0x80) {
		put_control(log, *at);
		return at + 1;
	}
	length = utf8_length(at, end);
	if (!length) {
		put(log, "\\ufffd", 6);
		return at + 1;
	}
	/* U+2028 and U+2029 end a line in JavaScript, so Go's encoder escapes them. */
	if (length == 3 && at[0] == 0xe2 && at[1] == 0x80 && (at[2] | 1) == 0xa9)
		put(log, at[2] == 0xa8 ? "\\u2028" : "\\u2029", 6);
	else
		put(log, at, length);
	return at + length;
}

static void put_escaped(struct json_log *log, const uint8_t *at, size_t length)
{
	const uint8_t *end = at + length;

	while (at < end) {
		const uint8_t *plain = at;

		while (at < end && *at >= ' ' && *at < 0x80 && *at != '"' && *at != '\\')
			at++;
		put(log, plain, (size_t)(at - plain));
		if (at < end)
			at = put_special(log, at, end);
	}
}

static void put_entry(struct json_log *log, unsigned stream, uint64_t time_ns, const uint8_t *bytes, size_t length,
		      bool newline)
{
	static const char *const names[] = {"\",\"stream\":\"stdout\",\"time\":\"", "\",\"stream\":\"stderr\",\"time\":\""};

	if (log->encoded_length + LOG_ENTRY_BYTES > LOG_ENCODE_BYTES)
		flush(log);
	if (log->max_bytes && log->written + log->encoded_length >= log->max_bytes) {
		flush(log);
		rotate(log);
	}
	put(log, "{\"log\":\"", 8);
	put_escaped(log, bytes, length);
	if (newline)
		put(log, "\\n", 2);
	put(log, names[stream], strlen(names[stream]));
	put_time(log, time_ns);
	put(log, "\"}\n", 3);
}

/* How much of `length` bytes, which have no newline, makes a part that cuts no character in two. */
static size_t part_length(const uint8_t *bytes, size_t length)
{
	size_t cut = length;

	while (cut > length - 3 && (bytes[cut - 1] & 0xc0) == 0x80)
		cut--;
	/* bytes[cut - 1] now begins the last character, if it is one of several bytes. */
	if (bytes[cut - 1] >= 0xc2 && utf8_length(bytes + cut - 1, bytes + length) == 0)
		return cut - 1;
	return length;
}

static uint64_t time_of(const struct log_line *line)
{
	return line->split ? line->time_ns : now_realtime_ns();
}

/* Keeps the beginning of a line; a full buffer is logged as a part. */
static void keep(struct json_log *log, unsigned stream, const uint8_t *bytes, size_t length)
{
	struct log_line *line = &log->lines[stream];

	while (length) {
		size_t room = LOG_PART_BYTES - line->length;
		size_t taken = length < room ? length : room;
		size_t part;

		memcpy(line->bytes + line->length, bytes, taken);
		line->length += taken;
		bytes += taken;
		length -= taken;
		if (line->length < LOG_PART_BYTES)
			break;
		line->time_ns = time_of(line);
		line->split = true;
		part = part_length(line->bytes, line->length);
		put_entry(log, stream, line->time_ns, line->bytes, part, false);
		line->length -= part;
		memmove(line->bytes, line->bytes + part, line->length);
	}
}

/* The end of a line: `bytes` up to its newline, after what was kept. */
static void end_line(struct json_log *log, unsigned stream, const uint8_t *bytes, size_t length)
{
	struct log_line *line = &log->lines[stream];

	if (line->length || line->split || length > LOG_PART_BYTES) {
		keep(log, stream, bytes, length);
		bytes = line->bytes;
		length = line->length;
	}
	put_entry(log, stream, time_of(line), bytes, length, true);
	line->length = 0;
	line->split = false;
}

void log_output(struct json_log *log, unsigned stream, const uint8_t *bytes, size_t length)
{
	const uint8_t *end = bytes + length;
	const uint8_t *newline;

	if (log->fd < 0)
		return;
	while ((newline = memchr(bytes, '\n', (size_t)(end - bytes)))) {
		end_line(log, stream, bytes, (size_t)(newline - bytes));
		bytes = newline + 1;
	}
	keep(log, stream, bytes, (size_t)(end - bytes));
	flush(log);
}

void log_finish(struct json_log *log, unsigned stream)
{
	struct log_line *line = &log->lines[stream];

	if (log->fd < 0 || !line->length)
		return;
	put_entry(log, stream, time_of(line), line->bytes, line->length, false);
	line->length = 0;
	line->split = false;
	flush(log);
}

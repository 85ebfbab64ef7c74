/*
 * Docker's json-file log: one object a line,
 *   {"log":"text\n","stream":"stdout","time":"2026-01-02T03:04:05.123456789Z"}
 *
 * A line longer than LOG_PART_BYTES is split; only its last part ends with \n in "log", and all its parts have one
 * time. What a stream leaves without a newline at its end is written without one. Invalid UTF-8 becomes U+FFFD.
 */
#ifndef GANTRY_JSONLOG_H
#define GANTRY_JSONLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOG_PART_BYTES 16384u
/* An encoded part: six bytes for each (\u0000), and its frame. */
#define LOG_ENTRY_BYTES (LOG_PART_BYTES * 6 + 256)
#define LOG_ENCODE_BYTES (LOG_ENTRY_BYTES + (64u << 10))

/* The beginning of a line whose end has not come yet. */
struct log_line {
	uint8_t bytes[LOG_PART_BYTES];
	size_t length;
	uint64_t time_ns; /* of the first part of a split line */
	bool split;
};

struct json_log {
	int fd; /* -1: no log */
	const char *path;
	uint64_t max_bytes; /* 0: no rotation */
	uint32_t max_files;
	uint64_t written; /* size of the current file */
	uint8_t *encoded; /* LOG_ENCODE_BYTES, given by the caller */
	size_t encoded_length;
	uint64_t second;     /* whose text is in `date` */
	char date[20];	     /* 2026-01-02T03:04:05 */
	struct log_line lines[2]; /* stdout, stderr */
};

/* Opens the log for appending. 0 or -errno. */
int log_open(struct json_log *log, const char *path, uint64_t max_bytes, uint32_t max_files);
/* Logs bytes of stream 0 (stdout) or 1 (stderr), and writes the file. */
void log_output(struct json_log *log, unsigned stream, const uint8_t *bytes, size_t length);
/* The stream has ended: logs what is left without a newline. */
void log_finish(struct json_log *log, unsigned stream);

#endif

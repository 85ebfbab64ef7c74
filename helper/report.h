/*
 * The conversation between a process that is being prepared and its monitor (the shim, or the helper of
 * `create`), over a SOCK_SEQPACKET pair: one record a message, its first byte says what it is.
 *
 *   prepared process → monitor                       monitor → prepared process
 *   P pid   made by an intermediate process          M      the id maps are written
 *   C       (descriptor) master of its pty           S      start
 *   H n     run the hook of step n                    G      the hook, mount or listener was served
 *   T n     make the idmapped mount of step n          G      (descriptor) the mount
 *   L n fd  pass the seccomp listener of step n on    N text it was not
 *   R       prepared, waits for S
 *   X       is about to exec
 *   F       a step failed: struct failure
 *   (end)   after X: exec succeeded; before: it died
 */
#ifndef GANTRY_REPORT_H
#define GANTRY_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum sync_type {
	SYNC_PID = 'P',
	SYNC_CONSOLE = 'C',
	SYNC_HOOK = 'H',
	SYNC_TREE = 'T',
	SYNC_LISTENER = 'L',
	SYNC_READY = 'R',
	SYNC_EXEC = 'X',
	SYNC_FAILED = 'F',
	SYNC_MAPPED = 'M',
	SYNC_START = 'S',
	SYNC_DONE = 'G',
	SYNC_REFUSED = 'N'
};

#define DETAIL_BYTES 1024

/* What went wrong in which step; `detail` names the object, see failure.ts. */
struct failure {
	uint32_t step; /* index in TypeScript's plan */
	int32_t error; /* a positive errno */
	char detail[DETAIL_BYTES];
};

#define SYNC_BYTES (sizeof(struct failure) + 8)

/* One record as it was received. */
struct sync_record {
	uint8_t type;
	uint32_t first;  /* P: pid; H, L: ordinal of the step */
	uint32_t second; /* L: the descriptor's number in the sender */
	struct failure failure;
	int fd; /* C, G: received descriptor, the receiver owns it; else -1 */
};

int sync_pair(int *monitor_end, int *process_end);

int sync_send(int sync, enum sync_type type);
int sync_send_numbers(int sync, enum sync_type type, uint32_t first, uint32_t second);
int sync_send_fd(int sync, enum sync_type type, int fd);
int sync_send_failure(int sync, enum sync_type type, const struct failure *failure);

/* Returns 1 for a record, 0 at the end, -errno (-EAGAIN when nothing is there and `flags` is MSG_DONTWAIT). */
int sync_receive(int sync, int flags, struct sync_record *record);
/* Waits for an answer of the monitor: 0 when it is `wanted`; `failure->detail` gets the text of a refusal. */
int sync_expect(int sync, enum sync_type wanted, struct failure *failure);
/* The same for an answer with a descriptor, which it returns. */
int sync_expect_fd(int sync, enum sync_type wanted, struct failure *failure);

#endif

/*
 * What `create` wrote down for this program beside state.json (src/runtime/lifecycle/front-record.ts): text fields,
 * each with a NUL behind it. It is complete or of no use, and never changes.
 */
#ifndef GANTRY_FRONT_RUNTIME_RECORD_H
#define GANTRY_FRONT_RUNTIME_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define RECORD_MAX_BYTES (64u << 10)
#define RECORD_MAX_CGROUPS 32

struct record {
	pid_t pid;
	int64_t start_time; /* as in /proc/PID/stat */
	bool own_pid_namespace; /* the first process takes all others with it */
	bool plain_start; /* neither poststart hooks nor a notification socket */
	bool plain_delete; /* no poststop hooks */
	int64_t cgroup_version;
	/* Directories of cgroups; empty where there is none. */
	const char *freezer;
	const char *signalled; /* whose processes `kill --all` means */
	const char *killed; /* whose processes `delete` ends */
	/* What `state` prints before the pid, and behind the status. */
	const char *state_head;
	const char *state_tail;
	size_t cgroup_count;
	const char *cgroups[RECORD_MAX_CGROUPS]; /* removed by `delete` */
	char text[RECORD_MAX_BYTES];
};

/* Reads the record of an open container directory. False when there is none that can be relied on. */
bool read_record(int directory, struct record *record);

#endif

/*
 * The shim: parent and monitor of one container's process and of the processes that are exec'd into it.
 *
 *   shim.c        event loop, start-up, end
 *   monitored.c   a process: its conversation while it is prepared, its end
 *   stdio.c       its output: log, attached clients; its input
 *   connection.c  a client: messages, raw streams, spill file
 *   requests.c    what the messages ask for
 */
#ifndef GANTRY_SHIM_H
#define GANTRY_SHIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "jsonlog.h"
#include "launch.h"
#include "protocol.h"
#include "report.h"

#define CHUNK_BYTES (64u << 10)
#define FRAME_BYTES 8u
#define EXEC_ID_BYTES 129u

enum source_kind {
	SOURCE_LISTENER,
	SOURCE_SIGNALS,
	SOURCE_SYNC,
	SOURCE_OUTPUT,
	SOURCE_INPUT,
	SOURCE_CONNECTION
};

/* Something that epoll watches; its owner is the structure that holds it. */
struct source {
	enum source_kind kind;
	int fd;
	uint32_t events; /* as registered; 0: not registered */
	void *owner;
};

struct shim;
struct process;

struct output {
	struct source source; /* fd -1: closed */
	struct process *process;
	uint8_t stream;	  /* 1 stdout, 2 stderr */
	uint64_t held_until_ms; /* not read before, for the sake of a slow client; 0: read */
};

enum process_state {
	PROCESS_PREPARING, /* until SYNC_READY */
	PROCESS_CREATED,   /* waits for START */
	PROCESS_STARTING,  /* until exec */
	PROCESS_RUNNING,
	PROCESS_ENDED
};

struct process {
	struct process *next;
	struct shim *shim;
	uint32_t number;
	pid_t pid; /* 0: not known yet, or none */
	enum process_state state;
	uint32_t flags; /* FLAG_TTY, FLAG_OPEN_STDIN, FLAG_STDIN_ONCE */
	char exec_id[EXEC_ID_BYTES];

	struct source sync;
	bool about_to_exec; /* SYNC_EXEC came */
	bool created;	    /* SYNC_READY came */
	bool failed;
	bool failure_reported;
	uint32_t exec_step; /* index of the plan's exec step */
	struct failure failure;
	struct connection *requester; /* of EXEC or START, until it is answered */
	uint16_t tag;

	struct output outputs[2];
	struct source input; /* fd -1: none, or closed */
	int slave;	     /* of the tty: held open, so that the master never reports a hangup */

	uint64_t started_ns;
	uint64_t exited_ns;
	int exit_code;
	int signal;
	bool delivered; /* a subscriber has got EXITED */
};

/* What a client could not take yet, in an unlinked file; read with sendfile(2). */
struct spill {
	int fd; /* -1: none yet */
	off_t start;
	off_t end;
};

struct connection {
	struct connection *next;
	struct shim *shim;
	struct source source; /* fd -1: gone */
	bool subscribed;
	bool attached;
	struct process *process; /* attached to; NULL once that has gone */
	uint8_t streams;
	bool framed;
	bool input_ended;  /* the client will send no more */
	bool peer_is_gone; /* the client will read no more */
	bool closing;	   /* close as soon as the spill file is empty */
	bool lagging;	   /* did not catch up in time: its backlog does not hold the output any more */
	struct spill spill;
	uint8_t *incoming; /* a message that is not complete, or input that the process did not take */
	size_t incoming_length;
	size_t incoming_size;
};

/* An end that waitpid told before the pid was known to be that of a process. */
struct unclaimed {
	pid_t pid;
	int status;
};

struct shim {
	int epoll;
	int directory;
	struct source listener;
	struct source signals;
	struct launch launch;
	bool plan_needed; /* launch.content is still held */
	struct process *processes;
	uint32_t next_number;
	struct connection *connections;
	unsigned subscribers;
	uint64_t abandoned_since_ms; /* no subscriber while process 0 waits for START; 0: there is one */
	struct unclaimed unclaimed[16];
	unsigned unclaimed_count;
	struct json_log log;
	/*
	 * One region: frame header and a chunk of output, a chunk of input, the encoded log. Its pages are given back when
	 * nothing was written for a while.
	 */
	uint8_t *buffers;
	bool buffers_used;
};

/* Output and input have chunks of their own: passing output on may close a client, whose input is then read out. */
#define OUTPUT_CHUNK(shim) ((shim)->buffers + FRAME_BYTES)
#define INPUT_CHUNK(shim) ((shim)->buffers + 4096u + CHUNK_BYTES)
#define LOG_BUFFER(shim) (INPUT_CHUNK(shim) + CHUNK_BYTES)
#define BUFFERS_BYTES (4096u + 2 * CHUNK_BYTES + LOG_ENCODE_BYTES)

/* shim.c */
int shim_main(char *title_start, size_t title_size);
/* The same, made before there is a container. */
int waiting_shim_main(char *title_start, size_t title_size);
/* Registers `source` for `events`, 0 takes it out of epoll. A closed one is passed over. */
void watch(struct shim *shim, struct source *source, uint32_t events);
void source_close(struct shim *shim, struct source *source);
struct process *find_process(struct shim *shim, uint32_t number);

/* monitored.c */
struct process *process_new(struct shim *shim, uint32_t flags, const char *exec_id);
/* Makes stdio and the process itself. On failure process->failure is set. */
int process_launch(struct process *process, const struct plan *plan);
void process_sync_event(struct process *process);
/* Notes a failure that belongs to no step, unless there is one already. `error` is a positive errno. */
void process_fail(struct process *process, int error, const char *detail);
/* The process was reaped with this wait status. */
void process_end(struct process *process, int status);
void process_free(struct process *process);
bool process_is_live(const struct process *process);
/* Tells a new subscriber all that has happened so far. */
void replay_events(struct connection *connection);

/* stdio.c */
int stdio_open(struct process *process, int child_ends[3]);
/* The pty's master has come; takes the descriptor over. */
void stdio_adopt_master(struct process *process, int master);
void output_event(struct output *output);
/* Reads what is left of a process that has ended, and closes. */
void stdio_drain(struct process *process);
/* Lets outputs go on that no client needs to be waited for any more; returns the time of the next deadline, or 0. */
uint64_t release_outputs(struct shim *shim, uint64_t now_ms);
void input_event(struct process *process);
void input_close(struct process *process);

/* connection.c */
void connection_accept(struct shim *shim);
void connection_event(struct connection *connection, uint32_t events);
/* Sends now what fits, and spills the rest. */
void connection_send(struct connection *connection, const void *bytes, size_t length);
off_t connection_backlog(const struct connection *connection);
/* Writes input that is waiting to the process; then reads more of it. */
void connection_feed(struct connection *connection);
/* Closes after the last byte was sent. */
void connection_finish(struct connection *connection);
void connection_close(struct connection *connection);
void connections_sweep(struct shim *shim);
void broadcast(struct shim *shim, const void *bytes, size_t length);

/* requests.c */
/* Answers one message. Returns false when the connection has to be closed. */
bool answer_request(struct connection *connection, uint16_t type, uint16_t tag, struct slice payload);
void send_ok(struct connection *connection, uint16_t tag);
void send_error(struct connection *connection, uint16_t tag, int error, const char *text);

/* exitfile.c */
/* Writes `name` in the directory aside and renames it. */
int write_exit_file(int directory, const char *name, const struct process *process);

#endif

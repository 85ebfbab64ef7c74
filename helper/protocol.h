/*
 * The numbers of docs/helper-protocol.md: opcodes of the plan, message types of the shim's socket, flags.
 * TypeScript's copies are src/kernel/encode-plan.ts and src/shim/protocol.ts.
 */
#ifndef GANTRY_PROTOCOL_H
#define GANTRY_PROTOCOL_H

#define PLAN_MAGIC "GPLN"
#define PLAN_VERSION 1
#define PLAN_HEADER_BYTES 8
#define STEP_HEADER_BYTES 12

#define LAUNCH_MAGIC "GLCH"
#define LAUNCH_VERSION 1

enum phase { PHASE_HOST, PHASE_CLONE, PHASE_SETUP, PHASE_START };

enum opcode {
	OP_JOIN_NAMESPACE = 10,
	OP_CLONE = 11,
	OP_WRITE_ID_MAP = 12,
	OP_WRITE_TIME_OFFSET = 13,
	OP_JOIN_CGROUP = 14,
	OP_UNSHARE_CGROUP = 15,

	OP_SET_PROPAGATION = 20,
	OP_OPEN_ROOT = 21,
	OP_MOUNT = 22,
	OP_BIND = 23,
	OP_REMOUNT = 24,
	OP_MASK_PATH = 25,
	OP_READONLY_PATH = 26,
	OP_PIVOT_ROOT = 27,
	OP_MAKE_ROOT_READONLY = 28,

	OP_MAKE_DEVICE = 30,
	OP_BIND_DEVICE = 31,
	OP_SYMLINK = 32,
	OP_CONSOLE = 33,

	OP_SET_HOSTNAME = 40,
	OP_SET_DOMAINNAME = 41,
	OP_SET_SYSCTL = 42,
	OP_BRING_UP_LOOPBACK = 43,

	OP_HOOK = 50,
	OP_NEW_SESSION = 51,
	OP_NEW_KEYRING = 52,
	OP_SET_OOM_SCORE = 53,
	OP_SET_RLIMIT = 54,
	OP_SET_PERSONALITY = 55,
	OP_SET_SCHEDULER = 56,
	OP_SET_IO_PRIORITY = 57,
	OP_SET_CPU_AFFINITY = 58,
	OP_SET_SECURITY_LABEL = 59,
	OP_SET_UMASK = 60,
	OP_CHANGE_DIRECTORY = 61,
	OP_MAKE_DIRECTORY = 62,
	OP_SET_BOUNDING = 63,
	OP_SET_USER = 64,
	OP_SET_CAPABILITIES = 65,
	OP_NO_NEW_PRIVILEGES = 66,
	OP_LOAD_SECCOMP = 67,
	OP_EXEC = 68,
	OP_SET_MEMORY_POLICY = 69,

	OPCODE_LIMIT = 70
};

/* The order of NamespaceType in src/kernel/steps.ts. */
enum namespace_word {
	NAMESPACE_MOUNT,
	NAMESPACE_PID,
	NAMESPACE_NETWORK,
	NAMESPACE_IPC,
	NAMESPACE_UTS,
	NAMESPACE_USER,
	NAMESPACE_CGROUP,
	NAMESPACE_TIME,
	NAMESPACE_COUNT
};

/* Flags of the launch message and, the first three, of EXEC. */
#define FLAG_TTY 1u
#define FLAG_OPEN_STDIN 2u
#define FLAG_STDIN_ONCE 4u
#define FLAG_DAEMON 8u
#define FLAG_FOREGROUND 16u

enum message_type {
	MESSAGE_SUBSCRIBE = 1,
	MESSAGE_START = 2,
	MESSAGE_ATTACH = 3,
	MESSAGE_SIGNAL = 4,
	MESSAGE_RESIZE = 5,
	MESSAGE_EXEC = 6,
	MESSAGE_CLOSE_STDIN = 7,

	MESSAGE_CREATED = 100,
	MESSAGE_STARTED = 101,
	MESSAGE_EXITED = 102,
	MESSAGE_FAILED = 103,

	MESSAGE_OK = 200,
	MESSAGE_ERROR = 201
};

#define MESSAGE_HEADER_BYTES 8
#define MESSAGE_MAX_BYTES (16u << 20)

#define STREAM_STDIN 1u
#define STREAM_STDOUT 2u
#define STREAM_STDERR 4u

/* Descriptors which the caller hands over. */
enum inherited_descriptor {
	FD_LAUNCH = 3,
	FD_LISTENER = 4, /* shim */
	FD_REPORT = 4,   /* create, exec */
	FD_CONSOLE = 5,  /* create, exec with a tty: socket that receives the pty's master */
	FD_PRESERVED = 6 /* first of the descriptors that the container's process receives from 3 on */
};

#endif

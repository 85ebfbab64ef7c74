/* What a process that is being prepared knows; each step's function receives it. */
#ifndef GANTRY_CONTEXT_H
#define GANTRY_CONTEXT_H

#include <stdbool.h>
#include <sys/types.h>

#include "plan.h"
#include "protocol.h"
#include "report.h"

struct context {
	const struct plan *plan;
	int sync;        /* to the monitor */
	int root;        /* the container's root (O_PATH), or -1 before open-root */
	int procfs;      /* a procfs of the helper's own, attached nowhere; -1 until it is needed */
	int null_source; /* the host's checked /dev/null (O_PATH), open until pivot-root */
	int mask_mount;  /* the empty read-only tmpfs that covers the first masked directory, or -1 */
	int fifo_dir;    /* `create` waits on exec.fifo in here instead of SYNC_START; else -1 */
	int fifo;        /* exec.fifo, open for writing until exec; -1 */
	pid_t host_pid;  /* own pid in the host's pid namespace, 0 when unknown */
	bool own_root;   /* open-root was executed */
	bool pivoted;
	bool new_user_namespace;
	bool alone;     /* in a user namespace of its own, and nobody else in any of its namespaces */
	bool monitored; /* somebody answers at `sync`, also behind exec.fifo */
	bool sealed; /* descriptors above stdio are close-on-exec, the monitor knows of the exec */
	unsigned preserved_fds;
	mode_t umask; /* of the container's process; 0 while it is set up */
	struct failure failure;
};

/* Adds to the text that a failing step reports. Returns `error`, so that it can end a function. */
int fail(struct context *context, int error, const char *detail);
/* The same, as "WHAT OBJECT". */
int fail_on(struct context *context, int error, const char *what, const char *object);

/*
 * Asks the monitor for something that only it can do for this step, and waits until it is done. `number` belongs to the
 * request. -ENOTSUP where there is none any more: behind exec.fifo, `create` has ended long ago, unless the plan has a listener.
 */
int ask_monitor(struct context *context, enum sync_type request, const struct step *step, uint32_t number);

/* The same for the mount of a bind step. Returns its descriptor or -errno. */
int ask_for_tree(struct context *context, const struct step *step);

/* Runs one step in this process. Returns 0 or -errno; the exec step returns only when it failed. */
int run_step(struct context *context, const struct step *step);
/* Runs all steps of a phase up to the first failure, whose step is put into context->failure. */
int run_phase(struct context *context, enum phase phase);

/* The functions behind run_step, by the file that holds them. */
#define STEP(name) int name(struct context *context, const struct step *step)

/* mounts.c, root.c */
STEP(step_set_propagation);
STEP(step_open_root);
STEP(step_mount);
STEP(step_bind);
STEP(step_remount);
STEP(step_mask_path);
STEP(step_readonly_path);
STEP(step_pivot_root);
STEP(step_make_root_readonly);
/* devices.c, console.c */
STEP(step_make_device);
STEP(step_bind_device);
STEP(step_symlink);
STEP(step_console);
/* identity.c */
STEP(step_set_hostname);
STEP(step_set_domainname);
STEP(step_set_sysctl);
STEP(step_bring_up_loopback);
/* hooks.c */
STEP(step_hook);
/* process.c */
STEP(step_new_session);
STEP(step_new_keyring);
STEP(step_set_oom_score);
STEP(step_set_rlimit);
STEP(step_set_personality);
STEP(step_set_scheduler);
STEP(step_set_io_priority);
STEP(step_set_cpu_affinity);
STEP(step_set_memory_policy);
STEP(step_set_security_label);
STEP(step_set_umask);
STEP(step_change_directory);
STEP(step_make_directory);
/* privileges.c */
STEP(step_set_bounding);
STEP(step_set_user);
STEP(step_set_capabilities);
STEP(step_no_new_privileges);
STEP(step_load_seccomp);
/* exec.c */
STEP(step_exec);

#endif

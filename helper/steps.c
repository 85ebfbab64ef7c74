/* Which function carries out which operation. */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "context.h"
#include "protocol.h"
#include "text.h"

typedef int step_function(struct context *context, const struct step *step);

/* Operations of the phase `clone` are missing: clone.c does them, around clone3. */
static step_function *const functions[OPCODE_LIMIT] = {
	[OP_SET_PROPAGATION] = step_set_propagation,
	[OP_OPEN_ROOT] = step_open_root,
	[OP_MOUNT] = step_mount,
	[OP_BIND] = step_bind,
	[OP_REMOUNT] = step_remount,
	[OP_MASK_PATH] = step_mask_path,
	[OP_READONLY_PATH] = step_readonly_path,
	[OP_PIVOT_ROOT] = step_pivot_root,
	[OP_MAKE_ROOT_READONLY] = step_make_root_readonly,
	[OP_MAKE_DEVICE] = step_make_device,
	[OP_BIND_DEVICE] = step_bind_device,
	[OP_SYMLINK] = step_symlink,
	[OP_CONSOLE] = step_console,
	[OP_SET_HOSTNAME] = step_set_hostname,
	[OP_SET_DOMAINNAME] = step_set_domainname,
	[OP_SET_SYSCTL] = step_set_sysctl,
	[OP_BRING_UP_LOOPBACK] = step_bring_up_loopback,
	[OP_HOOK] = step_hook,
	[OP_NEW_SESSION] = step_new_session,
	[OP_NEW_KEYRING] = step_new_keyring,
	[OP_SET_OOM_SCORE] = step_set_oom_score,
	[OP_SET_RLIMIT] = step_set_rlimit,
	[OP_SET_PERSONALITY] = step_set_personality,
	[OP_SET_SCHEDULER] = step_set_scheduler,
	[OP_SET_IO_PRIORITY] = step_set_io_priority,
	[OP_SET_CPU_AFFINITY] = step_set_cpu_affinity,
	[OP_SET_MEMORY_POLICY] = step_set_memory_policy,
	[OP_SET_SECURITY_LABEL] = step_set_security_label,
	[OP_SET_UMASK] = step_set_umask,
	[OP_CHANGE_DIRECTORY] = step_change_directory,
	[OP_MAKE_DIRECTORY] = step_make_directory,
	[OP_SET_BOUNDING] = step_set_bounding,
	[OP_SET_USER] = step_set_user,
	[OP_SET_CAPABILITIES] = step_set_capabilities,
	[OP_NO_NEW_PRIVILEGES] = step_no_new_privileges,
	[OP_LOAD_SECCOMP] = step_load_seccomp,
	[OP_EXEC] = step_exec,
};

int fail(struct context *context, int error, const char *detail)
{
	struct text text;

	text_start(&text, context->failure.detail, sizeof(context->failure.detail));
	text_add(&text, detail);
	return error;
}

int fail_on(struct context *context, int error, const char *what, const char *object)
{
	struct text text;

	text_start(&text, context->failure.detail, sizeof(context->failure.detail));
	text_add(&text, what);
	text_add(&text, " ");
	text_add(&text, object);
	return error;
}

int ask_monitor(struct context *context, enum sync_type request, const struct step *step, uint32_t number)
{
	int error;

	if (!context->monitored)
		return fail(context, -ENOTSUP, "nobody monitors the process after its creation");
	error = sync_send_numbers(context->sync, request, step->ordinal, number);
	return error < 0 ? error : sync_expect(context->sync, SYNC_DONE, &context->failure);
}

int ask_for_tree(struct context *context, const struct step *step)
{
	int error = sync_send_numbers(context->sync, SYNC_TREE, step->ordinal, 0);

	return error < 0 ? error : sync_expect_fd(context->sync, SYNC_DONE, &context->failure);
}

int run_step(struct context *context, const struct step *step)
{
	step_function *function = functions[step->opcode];

	return function ? function(context, step) : -ENOSYS;
}

int run_phase(struct context *context, enum phase phase)
{
	struct plan_position position;
	struct step step;

	plan_start(context->plan, &position);
	while (plan_next(&position, &step)) {
		int error;

		if (step.phase != phase)
			continue;
		context->failure.detail[0] = 0;
		error = run_step(context, &step);
		if (error < 0) {
			context->failure.step = step.index;
			context->failure.error = -error;
			return error;
		}
	}
	return 0;
}

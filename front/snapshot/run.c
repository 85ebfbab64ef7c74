#include "run.h"

#include <stdio.h>
#include <unistd.h>

#include "interpreter.h"
#include "memory.h"
#include "runtime/run.h"

struct Z_a_instance_t interpreter;

enum promise_state { PENDING, FULFILLED, REJECTED };

/* Runs what promises have left to do. Nothing here is waited for but in calls that wait themselves. */
static void settle(void)
{
	address context = call(malloc, sizeof(address));

	while (call(QTS_IsJobPending, SNAPSHOT_RUNTIME))
		call(QTS_ExecutePendingJob, SNAPSHOT_RUNTIME, (u32)-1, context);
}

static void say_why(address reason)
{
	address text = call(QTS_Dump, SNAPSHOT_CONTEXT, reason);

	dprintf(STDERR_FILENO, "gantry-runtime: %s\n", (const char *)at(text));
}

int run_snapshot(char **words, char **env)
{
	address promise, result;

	if (!load_snapshot(&interpreter.memory))
		return RUNTIME_DECLINED;
	interpreter.arguments = words;
	interpreter.environment = env;
	resume_module(&interpreter.module, &interpreter);
	promise = call(QTS_Call, SNAPSHOT_CONTEXT, SNAPSHOT_MAIN, SNAPSHOT_GLOBAL, 0, 0);
	settle();
	result = call(QTS_PromiseResult, SNAPSHOT_CONTEXT, promise);
	if (call(QTS_PromiseState, SNAPSHOT_CONTEXT, promise) != FULFILLED) {
		say_why(result);
		return 1;
	}
	result = (address)(int32_t)call(QTS_GetFloat64, SNAPSHOT_CONTEXT, result);
	if ((int32_t)result < 0)
		unload_snapshot();
	return (int32_t)result;
}

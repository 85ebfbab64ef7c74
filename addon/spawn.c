/*
 * spawn(): execve in a clean child, without fork's copying of page tables.
 *
 * The child shares our memory until it execs (vfork semantics, on a stack of its own), so it may call only
 * the kernel. Every signal is blocked meanwhile: a handler of the JavaScript engine must not run in it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arguments.h"
#include "calls.h"

#define STACK_BYTES (64 * 1024)
#define KERNEL_SIGNALS 64
#define MAX_FDS 64
#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

struct fd_map {
	int parent;
	int child;
	int lifted; /* the child's copy above all targets */
};

struct plan {
	const char *file;
	char **argv;
	char **env;
	struct fd_map fds[MAX_FDS]; /* in ascending order of child */
	uint32_t fd_count;
	int file_fd; /* N of /proc/self/fd/N, or -1 */
	volatile int error; /* written by the child */
};

/* Ignored signals stay ignored over execve, so each is set back (signal(7)). */
static void reset_signals(void)
{
	struct sigaction action = { .sa_handler = SIG_DFL };
	sigset_t none;
	int number;

	for (number = 1; number <= KERNEL_SIGNALS; number++)
		if (number != SIGKILL && number != SIGSTOP)
			sigaction(number, &action, NULL); /* glibc refuses its own two: they are never ignored */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* All copies are made above the highest target first, so the sets may overlap in any way. */
static int map_fds(struct plan *plan)
{
	int above = plan->fd_count ? plan->fds[plan->fd_count - 1].child + 1 : 0;
	uint32_t index;

	for (index = 0; index < plan->fd_count; index++) {
		plan->fds[index].lifted = fcntl(plan->fds[index].parent, F_DUPFD_CLOEXEC, above);
		if (plan->fds[index].lifted < 0)
			return -1;
	}
	if (plan->file_fd >= 0) {
		plan->file_fd = fcntl(plan->file_fd, F_DUPFD_CLOEXEC, above);
		if (plan->file_fd < 0)
			return -1;
	}
	for (index = 0; index < plan->fd_count; index++)
		if (dup2(plan->fds[index].lifted, plan->fds[index].child) < 0)
			return -1;
	return 0;
}

/* Close-on-exec for everything between and above the targets; the file to execute must live until then. */
static int close_others(const struct plan *plan)
{
	unsigned int first = 0;
	uint32_t index;

	for (index = 0; index < plan->fd_count; index++) {
		unsigned int child = (unsigned int)plan->fds[index].child;

		if (child > first && syscall(SYS_close_range, first, child - 1, CLOSE_RANGE_CLOEXEC) < 0)
			return -1;
		first = child + 1;
	}
	return (int)syscall(SYS_close_range, first, UINT_MAX, CLOSE_RANGE_CLOEXEC);
}

static int child_main(void *data)
{
	struct plan *plan = data;

	reset_signals();
	if (map_fds(plan) == 0 && close_others(plan) == 0) {
		if (plan->file_fd >= 0)
			syscall(SYS_execveat, plan->file_fd, "", plan->argv, plan->env, AT_EMPTY_PATH);
		else
			execve(plan->file, plan->argv, plan->env);
	}
	plan->error = errno;
	_exit(127);
}

/* Returns the child's pid once it has exec'd, or -errno; a child that failed is reaped. */
static long run_child(struct plan *plan)
{
	sigset_t all, before;
	char *stack;
	long pid;

	stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (stack == MAP_FAILED)
		return -errno;
	memset(&all, 0xff, sizeof(all)); /* with glibc's own two, which sigfillset leaves out */
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, KERNEL_SIGNALS / 8);
	pid = clone(child_main, stack + STACK_BYTES, CLONE_VM | CLONE_VFORK | SIGCHLD, plan);
	if (pid < 0)
		pid = -errno;
	else if (plan->error) {
		while (waitpid((pid_t)pid, NULL, 0) < 0 && errno == EINTR)
			;
		pid = -plan->error;
	}
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, KERNEL_SIGNALS / 8);
	munmap(stack, STACK_BYTES);
	return pid;
}

static bool read_pair(napi_env env, napi_value value, struct fd_map *map)
{
	uint32_t count;
	int *pair;

	if (!read_ints(env, value, "fds element", 2, &pair, &count))
		return false;
	map->parent = count == 2 ? pair[0] : -1;
	map->child = count == 2 ? pair[1] : -1;
	free(pair);
	if (map->parent < 0 || map->child < 0 || map->child > 1023)
		return throw_type(env, "fds must be pairs [parentFd, childFd], childFd at most 1023");
	return true;
}

/* Keeps plan->fds in ascending order of child; a target given twice is an error. */
static bool insert_pair(napi_env env, struct plan *plan, struct fd_map map)
{
	uint32_t place = plan->fd_count;

	while (place > 0 && plan->fds[place - 1].child >= map.child) {
		if (plan->fds[place - 1].child == map.child)
			return throw_type(env, "fds has a childFd twice");
		plan->fds[place] = plan->fds[place - 1];
		place--;
	}
	plan->fds[place] = map;
	plan->fd_count++;
	return true;
}

static bool read_fds(napi_env env, napi_value value, struct plan *plan)
{
	bool is_array = false;
	uint32_t count, index;

	if (napi_is_array(env, value, &is_array) != napi_ok || !is_array ||
	    napi_get_array_length(env, value, &count) != napi_ok || count > MAX_FDS)
		return throw_type(env, "fds must be an array of at most 64 pairs");
	for (index = 0; index < count; index++) {
		struct fd_map map = { 0 };
		napi_value element;

		if (napi_get_element(env, value, index, &element) != napi_ok ||
		    !read_pair(env, element, &map) || !insert_pair(env, plan, map))
			return false;
	}
	return true;
}

/* `/proc/self/fd/N` would name another file once the descriptors are rearranged: it is executed by its fd. */
static int parse_fd_path(const char *file)
{
	int fd, end = 0;

	if (sscanf(file, "/proc/self/fd/%d%n", &fd, &end) == 1 && end > 0 && file[end] == '\0' && fd >= 0)
		return fd;
	return -1;
}

napi_value call_spawn(napi_env env, napi_callback_info info)
{
	napi_value values[4], result = NULL;
	struct plan plan = { .file_fd = -1 };
	char *file = NULL;

	if (!read_arguments(env, info, 4, values))
		return NULL;
	if (read_string(env, values[0], "file", &file) && read_strings(env, values[1], "argv", &plan.argv) &&
	    read_strings(env, values[2], "env", &plan.env) && read_fds(env, values[3], &plan)) {
		plan.file = file;
		plan.file_fd = parse_fd_path(file);
		result = number(env, run_child(&plan));
	}
	free(file);
	free_strings(plan.argv);
	free_strings(plan.env);
	return result;
}

/* The last step: looking the program up and executing it. */
#include "exec.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "protocol.h"
#include "system.h"
#include "text.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* The vector that execve wants; its strings stay in the plan. NULL when there is no memory. */
static char **vector_of(struct strings strings)
{
	char **vector = malloc(((size_t)strings.count + 1) * sizeof(*vector));
	uint32_t count = strings.count;

	if (!vector)
		return NULL;
	for (uint32_t i = 0; i < count; i++)
		vector[i] = (char *)next_string(&strings);
	vector[count] = NULL;
	return vector;
}

int exec_path(const char *path, struct strings args, struct strings env)
{
	char **argv = vector_of(args);
	char **envp = vector_of(env);

	if (!argv || !envp)
		return -ENOMEM;
	execve(path, argv, envp);
	return -errno;
}

static const char *path_variable(struct strings env)
{
	const char *entry, *path = NULL;

	while ((entry = next_string(&env)))
		if (strncmp(entry, "PATH=", 5) == 0)
			path = entry + 5;
	return path ? path : DEFAULT_PATH;
}

/* 0 when `path` is a file that somebody may execute, else -errno. */
static int check_file(const char *path)
{
	struct stat info;

	if (stat(path, &info) < 0)
		return -errno;
	if (S_ISDIR(info.st_mode))
		return -EISDIR;
	return info.st_mode & 0111 ? 0 : -EACCES;
}

/* Tries one path. Without a vector it is only checked. */
static int try_path(const char *path, char **argv, char **envp)
{
	int error;

	if (!argv)
		return check_file(path);
	execve(path, argv, envp);
	error = -errno;
	/* A directory is EACCES to execve. A missing interpreter is ENOENT, which the existing file tells apart. */
	return error == -EACCES && check_file(path) == -EISDIR ? -EISDIR : error;
}

/*
 * Looks `name` up in PATH, and executes the first candidate. Entries that are relative, the empty one too, are passed
 * over, as the lookup must not depend on the directory. context->failure.detail becomes the path of the file that was found
 * but could not be executed; it stays empty when there is none.
 */
static int search(struct context *context, const char *name, const char *path, char **argv, char **envp)
{
	char candidate[PATH_MAX];

	while (*path) {
		size_t length = strcspn(path, ":");
		struct text text = TEXT_IN(candidate);
		bool is_absolute;
		int error;

		text_add_bytes(&text, path, length);
		text_add(&text, "/");
		text_add(&text, name);
		is_absolute = *path == '/';
		path += length + (path[length] == ':');
		if (!is_absolute || text.length + 1 >= sizeof(candidate))
			continue;
		error = try_path(candidate, argv, envp);
		if (!error)
			return 0;
		if (error == -ENOTDIR || error == -EISDIR || check_file(candidate) < 0)
			continue; /* not there, or not executable: the next directory may have it */
		return fail(context, error, candidate);
	}
	return -ENOENT;
}

static int run_program(struct context *context, struct strings args, struct strings env, bool execute)
{
	char **argv = execute ? vector_of(args) : NULL;
	char **envp = execute ? vector_of(env) : NULL;
	const char *name = next_string(&args);
	int error;

	if (execute && (!argv || !envp))
		return -ENOMEM;
	if (!name || !*name)
		return -ENOENT;
	if (!strchr(name, '/'))
		return search(context, name, path_variable(env), argv, envp);
	error = try_path(name, argv, envp);
	if (error < 0 && (error != -ENOENT || check_file(name) != -ENOENT))
		fail(context, error, name);
	return error;
}

/* Moves the descriptors which the caller wants inside from FD_PRESERVED down to 3; the fifo makes room for them. */
static int place_preserved(struct context *context)
{
	int count = (int)context->preserved_fds;

	if (context->fifo >= 0 && context->fifo < 3 + count) {
		context->fifo = fcntl(context->fifo, F_DUPFD_CLOEXEC, 3 + count);
		if (context->fifo < 0)
			return -errno;
	}
	for (int i = 0; i < count; i++) {
		if (dup2(FD_PRESERVED + i, 3 + i) < 0)
			return -errno;
	}
	return 0;
}

int seal_for_exec(struct context *context)
{
	int error;

	if (context->sealed)
		return 0;
	context->sealed = true;
	error = place_preserved(context);
	if (!error)
		error = sys_close_range(3 + context->preserved_fds, ~0u, CLOSE_RANGE_CLOEXEC_FLAG);
	/* Behind exec.fifo there is no monitor any more: the end of the fifo tells of the exec. */
	return error < 0 || context->fifo >= 0 ? error : sync_send(context->sync, SYNC_EXEC);
}

int step_exec(struct context *context, const struct step *step)
{
	struct cursor fields = step_fields(step);
	struct strings args = read_strings(&fields);
	struct strings env = read_strings(&fields);
	int error = seal_for_exec(context);

	return error < 0 ? error : run_program(context, args, env, true);
}

int check_program(struct context *context)
{
	struct step step;
	struct cursor fields;
	struct strings args, env;

	if (!plan_find(context->plan, OP_EXEC, &step))
		return -EINVAL;
	fields = step_fields(&step);
	args = read_strings(&fields);
	env = read_strings(&fields);
	context->failure.step = step.index;
	return run_program(context, args, env, false);
}

/*
 * dist/gantry begins here. A command that the engine can run for us is run there, which takes a millisecond; commands
 * of the OCI runtime that need no plan are carried out here (runtime/), the others from a snapshot (snapshot/). For
 * everything else this process becomes the full program (program.h), whose start alone takes five.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "program.h"
#include "runtime/run.h"
#include "served.h"
#include "session.h"
#include "snapshot/run.h"

#define DEFAULT_SOCKET "/run/gantry/gantry.sock"

/* `-H URL`, `--host URL`, `--host=URL` at `argv[0]`: how many words it takes; 0 for anything else. */
static int read_host(char **argv, const char **host)
{
	if (strncmp(argv[0], "--host=", 7) == 0) {
		*host = argv[0] + 7;
		return 1;
	}
	if ((strcmp(argv[0], "-H") != 0 && strcmp(argv[0], "--host") != 0) || !argv[1])
		return 0;
	*host = argv[1];
	return 2;
}

static bool is_served(const char *word)
{
	for (size_t i = 0; i < sizeof(served_words) / sizeof(served_words[0]); i++) {
		if (strcmp(word, served_words[i]) == 0)
			return true;
	}
	return false;
}

/* The engine's socket, if the call is one that it may serve; else NULL. Odd addresses are the full program's to refuse. */
static const char *socket_for(char **argv)
{
	const char *host = getenv("GANTRY_HOST");

	for (argv++; *argv && (*argv)[0] == '-';) {
		int words = read_host(argv, &host);

		if (words == 0)
			return NULL;
		argv += words;
	}
	if (!*argv || !is_served(*argv))
		return NULL;
	if (!host || !*host)
		return DEFAULT_SOCKET;
	return strncmp(host, "unix:///", 8) == 0 ? host + 7 : NULL;
}

/* The words of a call of the OCI runtime; NULL for other calls. */
static char **runtime_words(char **argv)
{
	const char *slash = strrchr(argv[0], '/');

	if (strcmp(slash ? slash + 1 : argv[0], "gantry-runtime") == 0)
		return argv + 1;
	return strcmp(argv[1], "runtime") == 0 ? argv + 2 : NULL;
}

static int run_without_bun(char **words, char **env)
{
	int exit_code = run_runtime(words);

	return exit_code == RUNTIME_DECLINED ? run_snapshot(words, env) : exit_code;
}

/* Returns the exit code, or -1 when nothing but the full program will do. */
static int do_ourselves(char **words, char **argv, char **env)
{
	const char *socket_path = words ? NULL : socket_for(argv);

	if (words)
		return run_without_bun(words, env);
	return socket_path ? run_session(socket_path, argv, env) : SESSION_DECLINED;
}

/* A standard stream that our caller closed (`<&-`) would otherwise be the first thing that we open: the engine's socket. */
static void fill_standard_streams(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

/* A command of the runtime is over before compiled code has paid for its compiler: a third of its processor time. */
static char no_compiler[] = "BUN_JSC_useJIT=0";

int main(int argc, char **argv, char **env)
{
	char **words = argc > 1 ? runtime_words(argv) : NULL;
	int exit_code;

	fill_standard_streams();
	exit_code = argc > 1 && !getenv("GANTRY_OWN_PROCESS") ? do_ourselves(words, argv, env) : -1;
	if (exit_code >= 0)
		return exit_code;
	become_program(argv, words ? no_compiler : NULL);
}

#include "signals.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "text.h"

#define HIGHEST_SIGNAL 64
#define MAX_DIGITS 3

static const struct {
	const char *name;
	int number;
} signals[] = {
	{"HUP", SIGHUP},	 {"INT", SIGINT},   {"QUIT", SIGQUIT}, {"ILL", SIGILL},	      {"TRAP", SIGTRAP},
	{"ABRT", SIGABRT},	 {"BUS", SIGBUS},   {"FPE", SIGFPE},   {"KILL", SIGKILL},     {"USR1", SIGUSR1},
	{"SEGV", SIGSEGV},	 {"USR2", SIGUSR2}, {"PIPE", SIGPIPE}, {"ALRM", SIGALRM},     {"TERM", SIGTERM},
	{"CHLD", SIGCHLD},	 {"CONT", SIGCONT}, {"STOP", SIGSTOP}, {"TSTP", SIGTSTP},     {"TTIN", SIGTTIN},
	{"TTOU", SIGTTOU},	 {"URG", SIGURG},   {"XCPU", SIGXCPU}, {"XFSZ", SIGXFSZ},     {"VTALRM", SIGVTALRM},
	{"PROF", SIGPROF},	 {"IO", SIGIO},	    {"PWR", SIGPWR},   {"WINCH", SIGWINCH},   {"SYS", SIGSYS},
};

int signal_number(const char *word)
{
	size_t length = strlen(word);
	int64_t number = length <= MAX_DIGITS ? parse_number(word, word + length) : -1;

	if (number >= 0)
		return number <= HIGHEST_SIGNAL ? (int)number : -1;
	if (strncasecmp(word, "SIG", 3) == 0)
		word += 3;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		if (strcasecmp(word, signals[i].name) == 0)
			return signals[i].number;
	}
	return -1;
}

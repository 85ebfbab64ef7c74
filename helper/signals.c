#include "signals.h"

#include <signal.h>
#include <stddef.h>

#define SIGNALS 64

void reset_signals(void)
{
	sigset_t none;

	/* SIG_IGN outlives exec: an engine that ignores SIGPIPE would make every program of a container do so. */
	for (int number = 1; number <= SIGNALS; number++)
		signal(number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

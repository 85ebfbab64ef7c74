#ifndef GANTRY_FRONT_RUNTIME_SIGNALS_H
#define GANTRY_FRONT_RUNTIME_SIGNALS_H

/* `KILL`, `sigkill`, `9` as a number; -1 for what only the full program knows. */
int signal_number(const char *word);

#endif

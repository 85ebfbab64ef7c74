/* The terminal of standard input and output. */
#ifndef GANTRY_FRONT_TERMINAL_H
#define GANTRY_FRONT_TERMINAL_H

#include <stdbool.h>
#include <stdint.h>

/* False when standard output is no terminal. */
bool terminal_size(uint16_t *rows, uint16_t *columns);

/* Raw mode of standard input, as cfmakeraw(3) makes it; undone by terminal_restore and at any exit of ours. */
void terminal_raw(void);
void terminal_restore(void);

#endif

#ifndef GANTRY_SIGNALS_H
#define GANTRY_SIGNALS_H

/* Every signal has its default action and is deliverable, as a new program may expect. */
void reset_signals(void);

#endif

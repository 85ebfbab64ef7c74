/* Its exports by their names: the package's file has them in one letter each. */
#ifndef GANTRY_SNAPSHOT_MODULE_H
#define GANTRY_SNAPSHOT_MODULE_H

#include "quickjs.h"

/* A module whose memory is there already. */
void resume_module(Z_quickjs_instance_t *instance, struct Z_a_instance_t *imports);

#endif

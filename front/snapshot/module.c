/*
 * The interpreter: QuickJS, as WebAssembly in a package, turned into C by wasm2c (build/front/quickjs.c). It is included, and not
 * compiled by itself, because its memory is filled from the snapshot, and so only half of its own start is to be done.
 */
#pragma GCC diagnostic ignored "-Wunused-function"
#include "quickjs.c"

#include "module.h"

void resume_module(Z_quickjs_instance_t *instance, struct Z_a_instance_t *imports)
{
	init_func_types();
	init_instance_import(instance, imports);
	init_globals(instance);
	init_tables(instance);
	init_data_instances(instance);
	init_elem_instances(instance);
}

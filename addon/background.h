/* Work on a thread of the pool that settles a promise with a number. */
#ifndef GANTRY_BACKGROUND_H
#define GANTRY_BACKGROUND_H

#include <node_api.h>

struct background {
	/* Runs on another thread; touches nothing of JavaScript. */
	void (*run)(struct background *work);
	/* Runs on JavaScript's thread when the promise is settled; frees the whole structure. */
	void (*release)(napi_env env, struct background *work);
	/* What the promise resolves to: a result or -errno. */
	long result;
	napi_deferred deferred;
	napi_async_work handle;
};

/* Starts the work and returns its promise; on failure releases it, throws and returns NULL. */
napi_value start_background(napi_env env, struct background *work, const char *name);

#endif

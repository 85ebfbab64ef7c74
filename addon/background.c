#include "background.h"

#include "arguments.h"

static void execute(napi_env env, void *data)
{
	struct background *work = data;

	(void)env;
	work->run(work);
}

static void complete(napi_env env, napi_status status, void *data)
{
	struct background *work = data;

	(void)status; /* nothing cancels */
	napi_resolve_deferred(env, work->deferred, number(env, work->result));
	napi_delete_async_work(env, work->handle);
	work->release(env, work);
}

napi_value start_background(napi_env env, struct background *work, const char *name)
{
	napi_value promise, resource;

	work->handle = NULL;
	if (napi_create_string_utf8(env, name, NAPI_AUTO_LENGTH, &resource) != napi_ok ||
	    napi_create_async_work(env, NULL, resource, execute, complete, work, &work->handle) != napi_ok)
		goto fail;
	if (napi_create_promise(env, &work->deferred, &promise) != napi_ok ||
	    napi_queue_async_work(env, work->handle) != napi_ok)
		goto fail;
	return promise;
fail:
	if (work->handle)
		napi_delete_async_work(env, work->handle);
	work->release(env, work);
	napi_throw_error(env, NULL, "cannot start background work");
	return NULL;
}

/*
 * The system calls that TypeScript lacks, as a Node-API addon. It has no state of its own, so the main
 * thread and any number of Workers may load it. Results are those of the kernel: a number, or -errno;
 * only a wrong type throws. src/kernel/addon.ts has the types and the contract of each function.
 */
#include "calls.h"

NAPI_MODULE_INIT()
{
	static const struct {
		const char *name;
		napi_callback call;
	} functions[] = {
		{ "syscall", call_syscall },
		{ "syscallAsync", call_syscall_async },
		{ "address", call_address },
		{ "spawn", call_spawn },
		{ "sendFds", call_send_fds },
		{ "recvFds", call_recv_fds },
		{ "makeNetns", call_make_netns },
		{ "makeNetnsAsync", call_make_netns_async },
		{ "netlinkSocketIn", call_netlink_socket_in },
	};
	size_t index;

	for (index = 0; index < sizeof(functions) / sizeof(functions[0]); index++) {
		napi_value function;

		if (napi_create_function(env, functions[index].name, NAPI_AUTO_LENGTH, functions[index].call,
					 NULL, &function) != napi_ok ||
		    napi_set_named_property(env, exports, functions[index].name, function) != napi_ok)
			return NULL;
	}
	return exports;
}

/* The functions of the addon, one topic a file. */
#ifndef GANTRY_CALLS_H
#define GANTRY_CALLS_H

#include <node_api.h>

napi_value call_syscall(napi_env env, napi_callback_info info);       /* syscall.c */
napi_value call_syscall_async(napi_env env, napi_callback_info info); /* syscall.c */
napi_value call_address(napi_env env, napi_callback_info info);       /* syscall.c */
napi_value call_spawn(napi_env env, napi_callback_info info);         /* spawn.c */
napi_value call_send_fds(napi_env env, napi_callback_info info);      /* descriptors.c */
napi_value call_recv_fds(napi_env env, napi_callback_info info);      /* descriptors.c */
napi_value call_make_netns(napi_env env, napi_callback_info info);    /* netns.c */
napi_value call_make_netns_async(napi_env env, napi_callback_info info); /* netns.c */
napi_value call_netlink_socket_in(napi_env env, napi_callback_info info); /* netns.c */

#endif

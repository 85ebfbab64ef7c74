/*
 * Network namespaces. A namespace belongs to a thread, and JavaScript's threads must stay where they are:
 * everything here runs in a thread of its own that ends with the call.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/netlink.h>

#include "arguments.h"
#include "background.h"
#include "calls.h"

struct task {
	long (*run)(const struct task *task);
	const char *path;
	int netns_fd;
	long result;
};

static void *thread_main(void *data)
{
	struct task *task = data;

	task->result = task->run(task);
	return NULL;
}

/* Runs the task in a new thread that takes no signals, and waits for it. Returns its result or -errno. */
static long run_in_thread(struct task *task)
{
	pthread_attr_t attributes;
	sigset_t all, before;
	pthread_t thread;
	int error;

	error = pthread_attr_init(&attributes);
	if (error)
		return -error;
	pthread_attr_setstacksize(&attributes, 128 * 1024);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&thread, &attributes, thread_main, task);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	if (error)
		return -error;
	pthread_join(thread, NULL);
	return task->result;
}

static long bring_up_loopback(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int socket_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	long result;

	if (socket_fd < 0)
		return -errno;
	result = ioctl(socket_fd, SIOCSIFFLAGS, &request) < 0 ? -errno : 0;
	close(socket_fd);
	return result;
}

/*
 * Interfaces that come later get no IPv6 link-local address: the network gives them IPv4 only, and duplicate
 * address detection would keep the kernel busy for each. A kernel without IPv6 has nothing to switch off.
 */
static void disable_ipv6_of_new_interfaces(void)
{
	int file = open("/proc/sys/net/ipv6/conf/default/disable_ipv6", O_WRONLY | O_CLOEXEC);

	if (file < 0)
		return;
	if (write(file, "1", 1) < 0) {
		/* as harmless as a kernel without it */
	}
	close(file);
}

static long make_namespace(const struct task *task)
{
	long result;

	if (unshare(CLONE_NEWNET) < 0)
		return -errno;
	result = bring_up_loopback();
	if (result < 0)
		return result;
	disable_ipv6_of_new_interfaces();
	if (mount("/proc/thread-self/ns/net", task->path, NULL, MS_BIND, NULL) < 0)
		return -errno;
	return 0;
}

/* Makes the file too, which must not exist yet; on failure it is gone again. */
static long make_netns(const char *path)
{
	struct task task = { .run = make_namespace, .path = path };
	int file = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
	long result;

	if (file < 0)
		return -errno;
	close(file);
	result = run_in_thread(&task);
	if (result < 0)
		unlink(path);
	return result;
}

napi_value call_make_netns(napi_env env, napi_callback_info info)
{
	napi_value values[1];
	char *path;
	long result;

	if (!read_arguments(env, info, 1, values) || !read_string(env, values[0], "path", &path))
		return NULL;
	result = make_netns(path);
	free(path);
	return number(env, result);
}

struct netns_work {
	struct background background;
	char *path;
};

static void run_make_netns(struct background *work)
{
	work->result = make_netns(((struct netns_work *)work)->path);
}

static void release_make_netns(napi_env env, struct background *work)
{
	(void)env;
	free(((struct netns_work *)work)->path);
	free(work);
}

napi_value call_make_netns_async(napi_env env, napi_callback_info info)
{
	struct netns_work *work;
	napi_value values[1];
	char *path;

	if (!read_arguments(env, info, 1, values) || !read_string(env, values[0], "path", &path))
		return NULL;
	work = calloc(1, sizeof(*work));
	if (!work) {
		free(path);
		napi_throw_error(env, NULL, "out of memory");
		return NULL;
	}
	work->background.run = run_make_netns;
	work->background.release = release_make_netns;
	work->path = path;
	return start_background(env, &work->background, "gantry:makeNetns");
}

static long open_netlink_socket(const struct task *task)
{
	int result;

	if (setns(task->netns_fd, CLONE_NEWNET) < 0)
		return -errno;
	result = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	return result < 0 ? -errno : result;
}

napi_value call_netlink_socket_in(napi_env env, napi_callback_info info)
{
	struct task task = { .run = open_netlink_socket };
	napi_value values[1];

	if (!read_arguments(env, info, 1, values) || !read_int(env, values[0], "netnsFd", &task.netns_fd))
		return NULL;
	return number(env, run_in_thread(&task));
}

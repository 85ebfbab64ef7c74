/* Names, kernel parameters and the loopback link of the new namespaces. */
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "context.h"
#include "procfs.h"
#include "system.h"
#include "text.h"

int step_set_hostname(struct context *context, const struct step *step)
{
	struct cursor fields = step_fields(step);
	const char *name = read_string(&fields);

	(void)context;
	return sethostname(name, strlen(name)) < 0 ? -errno : 0;
}

int step_set_domainname(struct context *context, const struct step *step)
{
	struct cursor fields = step_fields(step);
	const char *name = read_string(&fields);

	(void)context;
	return syscall(SYS_setdomainname, name, strlen(name)) < 0 ? -errno : 0;
}

/*
 * `net.ipv4.ip_forward` is net/ipv4/ip_forward. A key whose first separator is a slash keeps its dots, as in
 * sysctl(8): net/ipv4/conf/eth0.1/forwarding.
 */
static void sysctl_path(const char *key, struct text *path)
{
	bool dotted = key[strcspn(key, "./")] == '.';

	text_add(path, "sys/");
	for (; *key; key++) {
		const char one[2] = {dotted && *key == '.' ? '/' : *key, 0};

		text_add(path, one);
	}
}

int step_set_sysctl(struct context *context, const struct step *step)
{
	struct cursor fields = step_fields(step);
	const char *key = read_string(&fields);
	const char *value = read_string(&fields);
	bool optional = read_u8(&fields);
	char buffer[512];
	struct text path = TEXT_IN(buffer);
	int error;

	if (strlen(key) + 8 > sizeof(buffer))
		return -ENAMETOOLONG;
	sysctl_path(key, &path);
	error = procfs_write(context, buffer, value);
	return optional && error == -ENOENT ? 0 : error;
}

int step_bring_up_loopback(struct context *context, const struct step *step)
{
	int fd CLOSED_AT_END = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request;

	(void)context;
	(void)step;
	if (fd < 0)
		return -errno;
	memset(&request, 0, sizeof(request));
	memcpy(request.ifr_name, "lo", 3);
	request.ifr_flags = IFF_UP | IFF_RUNNING;
	return ioctl(fd, SIOCSIFFLAGS, &request) < 0 ? -errno : 0;
}

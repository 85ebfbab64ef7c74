/*
 * The one program of the image `hello`: it looks around, in /proc alone, and tells what it sees.
 * Static, without stdio, so that the whole image stays near 10 KB.
 */
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

static char output[4096];
static size_t used;

static void put_bytes(const char *text, size_t length)
{
	if (length > sizeof(output) - used)
		length = sizeof(output) - used;
	memcpy(output + used, text, length);
	used += length;
}

static void put(const char *text)
{
	put_bytes(text, strlen(text));
}

static void put_number(unsigned long number)
{
	char digits[24];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	put_bytes(digits + at, sizeof(digits) - at);
}

/* Writes everything gathered so far. Returns 0, or -1 when standard output is gone. */
static int flush(void)
{
	size_t done = 0;

	while (done < used) {
		ssize_t written = write(STDOUT_FILENO, output + done, used - done);

		if (written <= 0)
			return -1;
		done += (size_t)written;
	}
	return 0;
}

/* Reads the file into `buffer` as a string, cut to fit. Returns its length; 0 if it cannot be read. */
static size_t read_text(const char *path, char *buffer, size_t size)
{
	size_t length = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		ssize_t got;

		while (length + 1 < size && (got = read(fd, buffer + length, size - 1 - length)) > 0)
			length += (size_t)got;
		close(fd);
	}
	buffer[length] = '\0';
	return length;
}

/* Points at what follows `key` at the start of a line of `text`, or at an empty string. */
static const char *field(const char *text, const char *key)
{
	const char *line = text;

	while (line) {
		if (strncmp(line, key, strlen(key)) == 0) {
			line += strlen(key);
			return line + strspn(line, " \t");
		}
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return "";
}

static void put_line_of(const char *text)
{
	put_bytes(text, strcspn(text, "\n"));
}

static unsigned int count_bits(const char *hex)
{
	static const char digits[] = "0123456789abcdef";
	unsigned int bits = 0;
	const char *digit;

	for (; *hex && (digit = memchr(digits, *hex, 16)); hex++)
		for (unsigned int value = (unsigned int)(digit - digits); value; value &= value - 1)
			bits++;
	return bits;
}

static void describe_process(const char *status)
{
	struct utsname host;

	put("  process       number ");
	put_number((unsigned long)getpid());
	put(", user ");
	put_number((unsigned long)getuid());
	if (uname(&host) == 0) {
		put(", on host \"");
		put(host.nodename);
		put("\", kernel ");
		put(host.release);
	}
	put("\n  capabilities  ");
	put_number(count_bits(field(status, "CapEff:")));
	put(" in effect (mask ");
	put_line_of(field(status, "CapEff:"));
	put(")\n  system calls  ");
	put(*field(status, "Seccomp:") == '2' ? "filtered by seccomp" : "not filtered");
	put(*field(status, "NoNewPrivs:") == '1' ? ", no new privileges\n" : "\n");
}

static void describe_namespaces(void)
{
	static const char *const names[] = {"mnt", "pid", "net", "ipc", "uts", "cgroup", "user"};

	put("  namespaces   ");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[32] = "/proc/self/ns/";
		struct stat info;

		strcat(path, names[i]);
		if (stat(path, &info) != 0)
			continue;
		put(" ");
		put(names[i]);
		put(" ");
		put_number((unsigned long)info.st_ino % 100000);
	}
	put("\n");
}

static void describe_cgroup(void)
{
	static char text[2048];
	static const char unified[] = "0::";
	const char *path;

	if (!read_text("/proc/self/cgroup", text, sizeof(text)))
		return;
	path = field(text, unified);
	put("  cgroup        seen from inside as ");
	put_line_of(*path ? path : "/");
	put("\n");
}

static void describe_root(void)
{
	static char mounts[8192];
	unsigned int count = 0;

	read_text("/proc/self/mounts", mounts, sizeof(mounts));
	for (const char *at = mounts; (at = strchr(at, '\n')); at++)
		count++;
	put("  files         root is of type ");
	for (const char *line = mounts; line && *line;) {
		const char *target = strchr(line, ' ');

		if (target && strncmp(target, " / ", 3) == 0) {
			put_bytes(target + 3, strcspn(target + 3, " "));
			break;
		}
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	put(", ");
	put_number(count);
	put(" mounts in all\n");
}

static void describe_network(void)
{
	static char text[2048];

	read_text("/proc/net/dev", text, sizeof(text));
	put("  network      ");
	for (const char *line = text; line && *line;) {
		const char *name = line + strspn(line, " ");
		size_t length = strcspn(name, ":\n");

		if (name[length] == ':') {
			put(" ");
			put_bytes(name, length);
		}
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	put("\n");
}

int main(void)
{
	static char status[4096];

	read_text("/proc/self/status", status, sizeof(status));
	put("Hello from inside a container.\n\n"
	    "It is an ordinary process which the kernel shows a small world of its own:\n\n");
	describe_process(status);
	describe_namespaces();
	describe_cgroup();
	describe_root();
	describe_network();
	put("\ngantry unpacked the image, prepared each of these, and started me. I am done.\n");
	return flush() == 0 ? 0 : 1;
}

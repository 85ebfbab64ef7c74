#include "record.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "text.h"
#include "system.h"

#define RECORD_FILE "front.record"
#define STATE_FILE "state.json"
#define RECORD_BEGIN "gantry-front-1"
#define RECORD_END "end"

/* The next field; NULL behind the last one. */
static const char *take_field(const char **at, const char *end)
{
	const char *field = *at;

	if (field == end)
		return NULL;
	*at += strlen(field) + 1; /* the last byte is a NUL */
	return field;
}

static bool take_number(const char **at, const char *end, int64_t *number)
{
	const char *field = take_field(at, end);

	*number = field ? parse_number(field, field + strlen(field)) : -1;
	return *number >= 0;
}

static bool take_flag(const char **at, const char *end, bool *flag)
{
	int64_t number;

	if (!take_number(at, end, &number) || number > 1)
		return false;
	*flag = number == 1;
	return true;
}

static bool take_text(const char **at, const char *end, const char **text)
{
	return (*text = take_field(at, end));
}

static bool take_cgroups(const char **at, const char *end, struct record *record)
{
	int64_t count;

	if (!take_number(at, end, &count) || count > RECORD_MAX_CGROUPS)
		return false;
	record->cgroup_count = (size_t)count;
	for (size_t i = 0; i < record->cgroup_count; i++) {
		if (!take_text(at, end, &record->cgroups[i]) || record->cgroups[i][0] != '/')
			return false;
	}
	return true;
}

static bool take_word(const char **at, const char *end, const char *word)
{
	const char *field = take_field(at, end);

	return field && strcmp(field, word) == 0;
}

static bool parse_record(struct record *record, size_t length)
{
	const char *at = record->text, *end = record->text + length;
	int64_t pid;

	if (!take_word(&at, end, RECORD_BEGIN) || !take_number(&at, end, &pid) || pid < 1 || pid > INT_MAX)
		return false;
	record->pid = (pid_t)pid;
	return take_number(&at, end, &record->start_time) && take_flag(&at, end, &record->own_pid_namespace) &&
	       take_flag(&at, end, &record->plain_start) && take_flag(&at, end, &record->plain_delete) &&
	       take_number(&at, end, &record->cgroup_version) && take_text(&at, end, &record->freezer) &&
	       take_text(&at, end, &record->signalled) && take_text(&at, end, &record->killed) &&
	       take_text(&at, end, &record->state_head) && take_text(&at, end, &record->state_tail) &&
	       take_cgroups(&at, end, record) && take_word(&at, end, RECORD_END) && at == end;
}

bool read_record(int directory, struct record *record)
{
	int fd CLOSED_AT_END = openat(directory, RECORD_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	ssize_t got = fd < 0 ? -1 : read(fd, record->text, sizeof(record->text));

	if (got <= 0 || got == sizeof(record->text) || record->text[got - 1])
		return false;
	/* Without it the container is not there, or no longer. */
	return faccessat(directory, STATE_FILE, F_OK, 0) == 0 && parse_record(record, (size_t)got);
}

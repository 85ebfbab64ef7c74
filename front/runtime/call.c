#include "call.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "signals.h"
#include "text.h"

#define DEFAULT_ROOT "/run/gantry-runtime"
#define ID_MAX 255 /* of a directory's name */

/* A value of `--name value` or `--name=value` at `*words`, which moves on to its last word; else NULL. */
static const char *take_value(char ***words, const char *name)
{
	size_t length = strlen(name);
	const char *word = **words;

	if (strncmp(word, name, length) != 0)
		return NULL;
	if (word[length] == '=')
		return word + length + 1;
	if (word[length] || !(*words)[1])
		return NULL;
	(*words)++;
	return **words;
}

static bool is_one_of(const char *word, const char *first, const char *second)
{
	return strcmp(word, first) == 0 || strcmp(word, second) == 0;
}

/* The flags before the command. `*words` is left at the command. */
static bool parse_global(char ***words, const char **root, struct runtime_call *call)
{
	for (; **words && (**words)[0] == '-'; (*words)++) {
		const char *value;

		if (is_one_of(**words, "--debug", "--systemd-cgroup")) {
			continue; /* nothing to tell; and the record knows how the container was made */
		} else if ((value = take_value(words, "--root"))) {
			*root = value;
		} else if ((value = take_value(words, "--log-format"))) {
			if (!is_one_of(value, "text", "json"))
				return false;
		} else if ((value = take_value(words, "--log"))) {
			call->log = *value ? value : NULL;
		} else {
			return false;
		}
	}
	return true;
}

static bool parse_command(const char *word, enum runtime_command *command)
{
	static const char *const names[] = {
		[RUNTIME_STATE] = "state",
		[RUNTIME_START] = "start",
		[RUNTIME_KILL] = "kill",
		[RUNTIME_DELETE] = "delete",
	};

	for (size_t i = 0; word && i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(word, names[i]) == 0) {
			*command = (enum runtime_command)i;
			return true;
		}
	}
	return false;
}

static bool parse_flag(const char *word, struct runtime_call *call)
{
	if (call->command == RUNTIME_KILL && is_one_of(word, "--all", "-a"))
		return call->all = true;
	if (call->command == RUNTIME_DELETE && is_one_of(word, "--force", "-f"))
		return call->force = true;
	return false;
}

static bool is_id(const char *id)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+.-";
	size_t length = strlen(id);

	return length > 0 && length <= ID_MAX && strspn(id, allowed) == length && !is_one_of(id, ".", "..");
}

/* The full program takes `..` out of a path without looking at links, and reads paths as UTF-8. */
static bool is_plain_path(const char *path)
{
	if (!*path || strstr(path, ".."))
		return false;
	for (; *path; path++) {
		if (*path & 0x80)
			return false;
	}
	return true;
}

static bool set_directory(struct runtime_call *call, const char *root, const char *id)
{
	struct text path = TEXT_IN(call->directory);

	if (!is_id(id) || !is_plain_path(root))
		return false;
	text_add(&path, root);
	text_add(&path, "/");
	text_add(&path, id);
	return path.length + 1 < path.size;
}

/* Root of a user namespace keeps the state elsewhere, where its owner may write: the full program knows. */
static bool has_default_root(void)
{
	static const char initial[] = "user:[4026531837]"; /* PROC_USER_INIT_INO */
	char name[sizeof(initial)];

	return !getenv("XDG_RUNTIME_DIR") ||
	       (readlink("/proc/self/ns/user", name, sizeof(name)) == sizeof(initial) - 1 &&
		memcmp(name, initial, sizeof(initial) - 1) == 0);
}

bool parse_runtime_call(char **words, struct runtime_call *call)
{
	const char *root = NULL, *id = NULL, *signal_word = NULL;

	if (geteuid() != 0 || !parse_global(&words, &root, call) || !parse_command(*words, &call->command))
		return false;
	for (words++; *words; words++) {
		if ((*words)[0] == '-') {
			if (!parse_flag(*words, call))
				return false;
		} else if (!id) {
			id = *words;
		} else if (call->command == RUNTIME_KILL && !signal_word) {
			signal_word = *words;
		} else {
			return false;
		}
	}
	if (!root && !has_default_root())
		return false;
	call->signal = signal_number(signal_word ? signal_word : "TERM");
	return id && call->signal >= 0 && set_directory(call, root ? root : DEFAULT_ROOT, id);
}

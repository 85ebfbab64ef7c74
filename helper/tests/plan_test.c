#include <stdlib.h>
#include <string.h>

#include "launch.h"
#include "plan.h"
#include "protocol.h"
#include "schema.h"
#include "test.h"

struct writer {
	uint8_t bytes[4096];
	size_t length;
};

static void put(struct writer *out, uint64_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		out->bytes[out->length++] = (uint8_t)(value >> (8 * i));
}

static void put_string(struct writer *out, const char *string)
{
	put(out, strlen(string), 4);
	memcpy(out->bytes + out->length, string, strlen(string) + 1);
	out->length += strlen(string) + 1;
}

static void put_header(struct writer *out, unsigned count)
{
	out->length = 0;
	memcpy(out->bytes, PLAN_MAGIC, 4);
	out->length = 4;
	put(out, PLAN_VERSION, 2);
	put(out, count, 2);
}

/* Returns where the payload begins. */
static size_t put_step(struct writer *out, unsigned opcode, unsigned phase, unsigned index)
{
	put(out, opcode, 2);
	put(out, phase, 1);
	put(out, 0, 1);
	put(out, index, 4);
	put(out, 0, 4);
	return out->length;
}

static void end_step(struct writer *out, size_t start)
{
	size_t end = out->length;

	out->length = start - 4;
	put(out, end - start, 4);
	out->length = end;
}

/* Three steps with every kind of field that matters: arrays, options, words, bytes. */
static void put_plan(struct writer *out)
{
	size_t start;

	put_header(out, 3);
	start = put_step(out, OP_CLONE, PHASE_CLONE, 4);
	put(out, 2, 4);
	put(out, NAMESPACE_MOUNT, 1);
	put(out, NAMESPACE_TIME, 1);
	end_step(out, start);
	start = put_step(out, OP_BIND, PHASE_SETUP, 5);
	put_string(out, "/source");
	put_string(out, "/target");
	put(out, 1, 1);
	put(out, 1, 1);
	put(out, 3, 8);
	put(out, 4, 8);
	put(out, 0, 1);
	put(out, 0, 8);
	put(out, 1, 1);
	put_string(out, "0 1 1\n");
	put_string(out, "0 2 1\n");
	end_step(out, start);
	start = put_step(out, OP_EXEC, PHASE_START, 9);
	put(out, 2, 4);
	put_string(out, "sh");
	put_string(out, "-c");
	put(out, 0, 4);
	put(out, 0, 8);
	end_step(out, start);
}

/* Opens a copy of exactly this size, so that a read beyond the end is found by the sanitizer. */
static int open_copy(const uint8_t *bytes, size_t length)
{
	struct plan plan;
	uint8_t *copy = malloc(length ? length : 1);
	int result;

	if (!copy)
		abort();
	if (length)
		memcpy(copy, bytes, length);
	result = plan_open(&plan, copy, length);
	free(copy);
	return result;
}

static void test_reading(void)
{
	struct writer out;
	struct plan plan;
	struct step step;
	struct cursor fields;
	struct strings args;

	put_plan(&out);

	TEST("a plan is read step by step");
	CHECK(plan_open(&plan, out.bytes, out.length) == 0);
	CHECK(plan.count == 3);
	CHECK(plan_step(&plan, 1, &step) && step.opcode == OP_BIND && step.index == 5 && step.phase == PHASE_SETUP);
	fields = step_fields(&step);
	CHECK(strcmp(read_string(&fields), "/source") == 0);
	CHECK(strcmp(read_string(&fields), "/target") == 0);
	CHECK(!plan_step(&plan, 3, &step));

	TEST("arrays of strings");
	CHECK(plan_find(&plan, OP_EXEC, &step));
	fields = step_fields(&step);
	args = read_strings(&fields);
	CHECK(args.count == 2);
	CHECK(strcmp(next_string(&args), "sh") == 0);
	CHECK(strcmp(next_string(&args), "-c") == 0);
	CHECK(next_string(&args) == NULL);

	TEST("an operation that the plan does not have is not found");
	CHECK(!plan_find(&plan, OP_MOUNT, &step));
}

static void test_malformed(void)
{
	struct writer out;
	size_t start;

	put_plan(&out);

	TEST("every cut of a plan is refused");
	for (size_t length = 0; length < out.length; length++)
		CHECK(open_copy(out.bytes, length) < 0);

	TEST("a byte behind the last step is refused");
	out.bytes[out.length] = 0;
	CHECK(open_copy(out.bytes, out.length + 1) < 0);

	TEST("another magic, another version");
	out.bytes[0] ^= 1;
	CHECK(open_copy(out.bytes, out.length) < 0);
	out.bytes[0] ^= 1;
	out.bytes[4] ^= 2;
	CHECK(open_copy(out.bytes, out.length) < 0);

	TEST("an unknown operation");
	put_header(&out, 1);
	start = put_step(&out, 999, PHASE_SETUP, 0);
	end_step(&out, start);
	CHECK(open_copy(out.bytes, out.length) < 0);

	TEST("phases that go back");
	put_header(&out, 2);
	end_step(&out, put_step(&out, OP_NEW_SESSION, PHASE_START, 0));
	end_step(&out, put_step(&out, OP_MAKE_ROOT_READONLY, PHASE_SETUP, 1));
	CHECK(open_copy(out.bytes, out.length) < 0);

	TEST("a word that does not exist");
	put_header(&out, 1);
	start = put_step(&out, OP_PIVOT_ROOT, PHASE_SETUP, 0);
	put(&out, 2, 1);
	end_step(&out, start);
	CHECK(open_copy(out.bytes, out.length) < 0);

	TEST("a string with a NUL inside, or without one at its end");
	put_header(&out, 1);
	start = put_step(&out, OP_MASK_PATH, PHASE_SETUP, 0);
	put(&out, 3, 4);
	put(&out, 'a', 2); /* a, NUL */
	put(&out, 'b', 2);
	end_step(&out, start);
	CHECK(open_copy(out.bytes, out.length) < 0);
	out.bytes[start + 5] = 'x';
	CHECK(open_copy(out.bytes, out.length) == 0);
	out.bytes[start + 7] = 'y';
	CHECK(open_copy(out.bytes, out.length) < 0);

	TEST("lengths that overflow");
	put_header(&out, 1);
	start = put_step(&out, OP_MASK_PATH, PHASE_SETUP, 0);
	put(&out, 0xffffffff, 4);
	end_step(&out, start);
	CHECK(open_copy(out.bytes, out.length) < 0);
	put_header(&out, 1);
	start = put_step(&out, OP_SET_USER, PHASE_START, 0);
	put(&out, 0, 8);
	put(&out, 0, 8);
	put(&out, 0xffffffff, 4);
	end_step(&out, start);
	CHECK(open_copy(out.bytes, out.length) < 0);
}

/* Changes bytes at random places: nothing but an error, or another valid plan, may come of it. */
static void test_mutations(void)
{
	struct writer original, changed;
	uint32_t random = 12345;
	int refused = 0;

	TEST("20000 damaged plans");
	put_plan(&original);
	for (int round = 0; round < 20000; round++) {
		changed = original;
		for (int i = 0; i < 3; i++) {
			random = random * 1664525u + 1013904223u;
			changed.bytes[(random >> 8) % changed.length] = (uint8_t)(random >> 24);
		}
		refused += open_copy(changed.bytes, changed.length) < 0;
	}
	CHECK(refused > 10000);
}

static void test_launch(void)
{
	struct writer out = {.length = 0}, plan;
	struct launch launch;

	put_plan(&plan);
	memcpy(out.bytes, LAUNCH_MAGIC, 4);
	out.length = 4;
	put(&out, LAUNCH_VERSION, 2);
	put(&out, FLAG_TTY | FLAG_DAEMON, 2);
	put_string(&out, "/run/x");
	put_string(&out, "/log");
	put(&out, 1000, 8);
	put(&out, 3, 4);
	put_string(&out, "id");
	put(&out, plan.length, 4);
	memcpy(out.bytes + out.length, plan.bytes, plan.length);
	out.length += plan.length;

	TEST("a launch message");
	CHECK(launch_parse(&launch, out.bytes, out.length) == 0);
	CHECK(launch.flags == (FLAG_TTY | FLAG_DAEMON));
	CHECK(strcmp(launch.directory, "/run/x") == 0 && strcmp(launch.log_path, "/log") == 0);
	CHECK(launch.log_max_bytes == 1000 && launch.log_max_files == 3);
	CHECK(strcmp(launch.container_id, "id") == 0 && launch.plan.count == 3);

	TEST("every cut of a launch message is refused");
	for (size_t length = 0; length < out.length; length++)
		CHECK(launch_parse(&launch, out.bytes, length) < 0);
}

void test_plans(void)
{
	test_reading();
	test_malformed();
	test_mutations();
	test_launch();

	TEST("numbers without an operation have none");
	CHECK(operation_of(0) == NULL && operation_of(OPCODE_LIMIT) == NULL && operation_of(0xffff) == NULL);
	CHECK(strcmp(operation_of(OP_EXEC)->name, "exec") == 0);
}

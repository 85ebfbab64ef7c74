/* A very small test runner: each file has one function with its tests. */
#ifndef GANTRY_TEST_H
#define GANTRY_TEST_H

#include <stdbool.h>
#include <stddef.h>

/* Ends the previous test and begins one with this name. */
void test_begin(const char *name);
void test_check(bool holds, const char *expression, const char *file, int line);

#define TEST(name) test_begin(name)
#define CHECK(expression) test_check((expression), #expression, __FILE__, __LINE__)

void test_plans(void);
void test_json_log(void);
void test_messages(void);
void test_root_paths(void);
void test_text(void);
void test_exit_file(void);

/* A directory of the test's own, removed at the end of the run. */
const char *test_directory(void);
/* Reads a small file; the text lives until the next call. */
const char *read_text(const char *path);

#endif

#include <string.h>

#include "test.h"
#include "text.h"

void test_text(void)
{
	char buffer[16];
	struct text text = TEXT_IN(buffer);

	TEST("text is cut off at the end of its buffer");
	text_add(&text, "0123456789");
	text_add(&text, "abcdefghij");
	CHECK(strcmp(buffer, "0123456789abcde") == 0);
	CHECK(text.length == 15);

	TEST("numbers of every sign and size");
	char numbers[64];
	text_start(&text, numbers, sizeof(numbers));
	text_add_number(&text, 0);
	text_add(&text, " ");
	text_add_number(&text, INT64_MIN);
	text_add(&text, " ");
	text_add_number(&text, INT64_MAX);
	CHECK(strcmp(numbers, "0 -9223372036854775808 9223372036854775807") == 0);

	TEST("JSON strings are escaped");
	text_start(&text, numbers, sizeof(numbers));
	text_add_json(&text, "a\"b\\c\n\x01");
	CHECK(strcmp(numbers, "\"a\\\"b\\\\c\\u000a\\u0001\"") == 0);

	TEST("only whole decimal numbers are parsed");
	const char *digits = "120x99999999999999999999";
	CHECK(parse_number(digits, digits + 3) == 120);
	CHECK(parse_number(digits, digits + 4) == -1);
	CHECK(parse_number(digits, digits) == -1);
	CHECK(parse_number(digits + 4, digits + strlen(digits)) == -1);
}

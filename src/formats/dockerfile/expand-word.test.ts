// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are what is tested
import { expect, test } from "bun:test";
import { expandToWords, expandWord } from "./expand-word.ts";

const values = new Map([
  ["x", "value"],
  ["empty", ""],
  ["ports", "80 443"],
  ["path", "/usr/local/lib/a.tar.gz"],
  ["1", "one"],
]);
const variable = (name: string) => values.get(name);

test.each([
  ["plain", "plain"],
  ["$x", "value"],
  ["${x}y", "valuey"],
  ["$xy", ""],
  ["$1x", "onex"],
  ["a$", "a$"],
  ["$/", "$/"],
  ["\\$x", "$x"],
  ["'$x'", "$x"],
  ["'a\\'", "a\\"],
  ['"$x \\"q\\" \\n"', 'value "q" \\n'],
  ['"a b"', "a b"],
  ["a\\ b", "a b"],
  ["end\\", "end"],
  ["${none:-word}", "word"],
  ["${none-word}", "word"],
  ["${empty:-word}", "word"],
  ["${empty-word}", ""],
  ["${x:-word}", "value"],
  ["${none:-${x}}", "value"],
  ["${x:+there}", "there"],
  ["${empty:+there}", ""],
  ["${empty+there}", "there"],
  ["${none+there}", ""],
  ["${x:?gone}", "value"],
  ["${path#*/}", "usr/local/lib/a.tar.gz"],
  ["${path##*/}", "a.tar.gz"],
  ["${path%.*}", "/usr/local/lib/a.tar"],
  ["${path%%.*}", "/usr/local/lib/a"],
  ["${path%?gz}", "/usr/local/lib/a.tar"],
  ["${path#z}", "/usr/local/lib/a.tar.gz"],
  ["${x/l/L}", "vaLue"],
  ["${path//\\//.}", ".usr.local.lib.a.tar.gz"],
])("%p is %p", (word, expanded) => {
  expect(expandWord(word, variable)).toBe(expanded);
});

test.each([
  ["'open", "looking for matching single-quote"],
  ['"open', "looking for matching double-quote"],
  ["${x", "missing '}'"],
  ["${", "missing '}'"],
  ["${x:-y", "missing '}'"],
  ["${}", "bad substitution"],
  ["${x:#y}", "unsupported modifier (:#)"],
  ["${x^}", "unsupported modifier (^)"],
  ["${none?}", "none: is not allowed to be unset"],
  ["${empty:?}", "empty: is not allowed to be empty"],
  ["${none:?give one}", "none: give one"],
])("%p is refused", (word, message) => {
  expect(() => expandWord(word, variable)).toThrow(message);
});

test.each([
  ["$ports", ["80", "443"]],
  ['"$ports"', ["80 443"]],
  ["a$ports/udp", ["a80", "443/udp"]],
  ["$none", []],
  ["''", [""]],
])("%p makes the words %p", (word, words) => {
  expect(expandToWords(word, variable)).toEqual(words);
});

test("the escape character may be the other one", () => {
  expect(expandWord("C:\\dir`$x", variable, "`")).toBe("C:\\dir$x");
});

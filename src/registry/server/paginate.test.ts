import { expect, test } from "bun:test";
import { compareTags, paginate } from "./paginate.ts";

const page = (query: string, maximum?: number) =>
  paginate(["a", "B", "c", "d"], {
    path: "/v2/x/tags/list",
    query: new URLSearchParams(query),
    keyOf: (item) => item,
    compare: compareTags,
    ...(maximum !== undefined && { maximum }),
  });

test.each([
  ["", ["a", "B", "c", "d"], undefined],
  ["n=2", ["a", "B"], '</v2/x/tags/list?n=2&last=B>; rel="next"'],
  ["n=2&last=B", ["c", "d"], undefined],
  ["n=4", ["a", "B", "c", "d"], undefined],
  ["last=bb", ["c", "d"], undefined],
  ["last=z", [], undefined],
  ["n=0", [], undefined],
] as const)("?%s gives %p", (query, items, link) => {
  expect(page(query)).toEqual({ items, headers: link === undefined ? {} : { Link: link } });
});

test("a maximum makes pages for those who asked for none, and the link keeps the filter", () => {
  expect(page("artifactType=x", 3).headers.Link).toBe(
    '</v2/x/tags/list?artifactType=x&n=3&last=c>; rel="next"',
  );
});

test.each(["2147483647", "9999999999", "00000000000000000000004", "9".repeat(40)])(
  "n=%s is a whole number, however long",
  (n) => {
    expect(page(`n=${n}`).items).toHaveLength(4);
  },
);

test.each(["-1", "x", "1.5", "0x10"])("n=%s is refused", (n) => {
  expect(() => page(`n=${n}`)).toThrow("not a whole number");
});

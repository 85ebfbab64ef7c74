import { expect, test } from "bun:test";
import { mountOverlay, overlayOptionString, takesLayersOneByOne } from "./mount-overlay.ts";

test("the option string of old kernels escapes separators", () => {
  const request = { lower: ["/a:b", "/c,d", "/e\\f"], upper: "/u:1", work: "/w,2", options: ["index=off"] };
  expect(overlayOptionString(request)).toBe(
    "lowerdir=/a\\:b:/c\\,d:/e\\\\f,upperdir=/u:1,workdir=/w\\,2,index=off",
  );
});

test("an overlay needs a lower directory", () => {
  expect(() => mountOverlay({ lower: [], target: "/x" })).toThrow("overlay mount /x: no lower directory");
});

test.each([
  ["5.15.0-101-generic", false],
  ["6.1.0-56-cloud-amd64", false],
  ["6.4.16", false],
  ["6.5.0", true],
  ["6.18.44", true],
  ["7.0", true],
])("%s knows lowerdir+: %p", (release, known) => {
  expect(takesLayersOneByOne(release)).toBe(known);
});

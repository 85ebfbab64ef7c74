import { expect, test } from "bun:test";
import { mountOverlay, overlayOptionString } from "./mount-overlay.ts";

test("the option string of old kernels escapes separators", () => {
  const request = { lower: ["/a:b", "/c,d", "/e\\f"], upper: "/u:1", work: "/w,2", options: ["index=off"] };
  expect(overlayOptionString(request)).toBe(
    "lowerdir=/a\\:b:/c\\,d:/e\\\\f,upperdir=/u:1,workdir=/w\\,2,index=off",
  );
});

test("an overlay needs a lower directory", () => {
  expect(() => mountOverlay({ lower: [], target: "/x" })).toThrow("overlay mount /x: no lower directory");
});

import { expect, test } from "bun:test";
import { fromErrorMessage, toErrorMessage } from "./error-message.ts";
import { notFound, PlatformError } from "./platform-error.ts";

test("an error of ours is the same in the other thread", () => {
  const error = notFound("no such thing", { hint: "look elsewhere", code: "thing.missing" });
  expect(fromErrorMessage(toErrorMessage(error))).toMatchObject({
    kind: "NotFound",
    message: "no such thing",
    hint: "look elsewhere",
    code: "thing.missing",
  });
});

test("one that nobody foresaw has its own message; where it came from is its cause's", () => {
  const error = fromErrorMessage(toErrorMessage(new Error("EIO: broken disk")));
  expect(error).toBeInstanceOf(PlatformError);
  expect([error.kind, error.message]).toEqual(["System", "EIO: broken disk"]);
  expect(String(error.cause)).toContain("error-message.test.ts");
});

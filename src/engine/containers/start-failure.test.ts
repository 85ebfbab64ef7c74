import { expect, test } from "bun:test";
import { conflict, invalidParameter } from "../../errors/platform-error.ts";
import { execFailure, startFailure } from "./start-failure.ts";

const words = 'exec: "x": executable file not found in $PATH';

test.each([
  ["exec.not-found", 127],
  ["exec.interpreter-missing", 127],
  ["exec.not-executable", 126],
  ["exec.is-directory", 126],
  ["exec.bad-format", 126],
] as const)("%p is exit code %p, in Docker's words", (code, exitCode) => {
  const found = startFailure(invalidParameter(words, { code, hint: "install it" }));
  expect(found.exitCode).toBe(exitCode);
  expect(found.error.message).toStartWith(
    "failed to create task for container: failed to create shim task: ",
  );
  expect(found.error.message).toEndWith(`unable to start container process: ${words}`);
  expect(found.error.hint).toBe("install it");
  expect(found.error.kind).toBe("InvalidParameter");
});

test("an exec has its own words", () => {
  const { error } = execFailure(invalidParameter(words, { code: "exec.not-found" }));
  expect(error.message).toBe(
    `OCI runtime exec failed: exec failed: unable to start container process: ${words}`,
  );
});

test("any other failure is passed on", () => {
  const taken = conflict("port 80 is taken");
  expect(startFailure(taken)).toEqual({ exitCode: 128, error: taken });
  expect(startFailure(new Error("oops")).error.message).toBe("oops");
});

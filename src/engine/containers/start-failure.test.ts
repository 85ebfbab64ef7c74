import { expect, test } from "bun:test";
import { conflict, invalidParameter } from "../../errors/platform-error.ts";
import { execFailure, startFailure } from "./start-failure.ts";

const words = 'exec: "x": executable file not found in $PATH';

test.each([
  ["exec.not-found", words, 127],
  ["exec.interpreter-missing", 'exec: "x": no such file or directory: /bin/nosuch is missing', 127],
  ["exec.not-executable", 'exec: "x": permission denied', 126],
  ["exec.is-directory", 'exec: "x": is a directory', 126],
  ["exec.bad-format", 'exec: "x": exec format error', 126],
] as const)("%p is told in Docker's words", (code, message, exitCode) => {
  const found = startFailure(invalidParameter(message, { code, hint: "install it" }));
  expect(found.exitCode).toBe(exitCode);
  expect(found.error.message).toStartWith(
    "failed to create task for container: failed to create shim task: ",
  );
  expect(found.error.message).toEndWith(`unable to start container process: ${message}`);
  expect(found.error.hint).toBe("install it");
  expect(found.error.kind).toBe("InvalidParameter");
});

test("a script from Windows is a missing interpreter to clients", () => {
  const found = startFailure(
    invalidParameter('exec: "x": /x ends its first line with CR LF', { code: "exec.crlf" }),
  );
  expect(found.exitCode).toBe(127);
  expect(found.error.message).toEndWith(
    ': exec: "x": no such file or directory: /x ends its first line with CR LF',
  );
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
  expect(execFailure(taken)).toEqual({ exitCode: 126, error: taken });
  expect(startFailure(new Error("oops")).error.message).toBe("oops");
});

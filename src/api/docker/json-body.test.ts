import { expect, test } from "bun:test";
import { Readable } from "node:stream";
import { jsonBody, optionalJsonBody, parseJsonObject } from "./json-body.ts";
import type { ApiRequest } from "./route.ts";

function request(body: string, contentType?: string): ApiRequest {
  return {
    method: "POST",
    path: "/",
    minor: 51,
    params: {},
    query: new URLSearchParams(),
    headers: contentType === undefined ? {} : { "content-type": contentType },
    body: Readable.from(body === "" ? [] : [Buffer.from(body)]),
    signal: new AbortController().signal,
  };
}

test("a JSON object is read, whatever the charset", async () => {
  expect(await jsonBody(request('{"a":1}', "application/json; charset=utf-8"))).toEqual({ a: 1 });
});

test("an empty body is an error only where one is required", async () => {
  expect(await optionalJsonBody(request(""))).toBeUndefined();
  expect(jsonBody(request(""))).rejects.toThrow("invalid JSON: got EOF while reading request body");
});

test("a body of another type is refused", () => {
  expect(jsonBody(request("{}", "text/plain"))).rejects.toThrow(
    "unsupported Content-Type header (text/plain): must be 'application/json'",
  );
  expect(jsonBody(request("{}"))).rejects.toThrow(
    "unsupported Content-Type header (): must be 'application/json'",
  );
});

test.each([
  ['{"a":"}"} {"b":2}', "unexpected content after JSON"],
  ['{"a":1}x', "unexpected content after JSON"],
  ['{"a":', "invalid JSON: "],
  ["[]", "invalid JSON: expected an object, got an array"],
  ["null", "invalid JSON: expected an object, got null"],
])("%p is refused: %p", (text, message) => {
  expect(() => parseJsonObject(text)).toThrow(message);
});

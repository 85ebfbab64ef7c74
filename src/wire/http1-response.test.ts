import { expect, test } from "bun:test";
import { type ExpectedResponse, Http1ResponseParser } from "./http1-response.ts";

interface Seen {
  status: number[];
  body: string;
  ends: number;
}

function parser(expected: ExpectedResponse = { headRequest: false, upgrade: false }) {
  const seen: Seen = { status: [], body: "", ends: 0 };
  const subject = new Http1ResponseParser({
    head: ({ status }) => seen.status.push(status),
    body: (bytes) => {
      seen.body += Buffer.from(bytes).toString("latin1");
    },
    end: () => {
      seen.ends++;
    },
  });
  subject.expect(expected);
  return { subject, seen };
}

const messages: readonly (readonly [string, string, string])[] = [
  ["a body of known length", "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc\r\nd", "abc\r\nd".slice(0, 6)],
  ["an empty body", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", ""],
  [
    "chunks",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\na\r\n\r\nA;e=1\r\n0123456789\r\n0\r\nT: v\r\n\r\n",
    "a\r\n0123456789",
  ],
  ["no content", "HTTP/1.1 204 No Content\r\n\r\n", ""],
  ["an interim answer", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nz", "z"],
];

test.each(messages)("%s parses the same however the bytes are cut", (_, wire, body) => {
  const bytes = Buffer.from(wire, "latin1");
  for (let size = 1; size <= bytes.length; size++) {
    const { subject, seen } = parser();
    for (let at = 0; at < bytes.length; at += size) subject.push(bytes.subarray(at, at + size));
    expect({ size, body: seen.body, ends: seen.ends, heads: seen.status.length }).toEqual({
      size,
      body,
      ends: 1,
      heads: 1,
    });
  }
});

test("a reply to HEAD has no body whatever it says", () => {
  const { subject, seen } = parser({ headRequest: true, upgrade: false });
  subject.push(Buffer.from("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"));
  expect(seen.ends).toBe(1);
});

test("without a length the body lasts until close", () => {
  const { subject, seen } = parser();
  subject.push(Buffer.from("HTTP/1.1 200 OK\r\n\r\nabc"));
  expect(seen.ends).toBe(0);
  subject.finish();
  expect(seen).toEqual({ status: [200], body: "abc", ends: 1 });
});

test.each([101, 200])("an upgrade answered by %p turns into raw bytes", (status) => {
  const { subject, seen } = parser({ headRequest: false, upgrade: true });
  subject.push(Buffer.from(`HTTP/1.1 ${status} X\r\nUpgrade: tcp\r\n\r\nraw`));
  subject.push(Buffer.from(" bytes"));
  expect(seen.body).toBe("raw bytes");
});

test.each([
  ["no HTTP", "SSH-2.0-x\r\n\r\n", "not an HTTP answer"],
  ["a negative length", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "malformed length"],
  ["a bad chunk size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "malformed length"],
  [
    "a chunk that is too long",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
    "malformed chunk",
  ],
  ["a header without a name", "HTTP/1.1 200 OK\r\n: x\r\n\r\n", "malformed header"],
  ["a head without end", `HTTP/1.1 200 OK\r\nX: ${"y".repeat(70_000)}`, "too long"],
  ["bytes after the end", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nmore", "no request asked for"],
])("%s is refused", (_, wire, message) => {
  expect(() => parser().subject.push(Buffer.from(wire))).toThrow(message);
});

test("closing within a message is an error, between messages it is not", () => {
  const { subject } = parser();
  expect(() => subject.finish()).toThrow("in the middle of an answer");
  subject.push(Buffer.from("HTTP/1.1 204 x\r\n\r\n"));
  subject.finish();
});

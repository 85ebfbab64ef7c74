import { expect, test } from "bun:test";
import { parseChallenges } from "./parse-challenges.ts";

test.each([
  [null, []],
  ["", []],
  ['Basic realm="x"', [{ scheme: "basic", parameters: { realm: "x" } }]],
  ["Basic", [{ scheme: "basic", parameters: {} }]],
  [
    'Bearer realm="https://auth.example/token",service="S",scope="repository:a/b:pull,push"',
    [
      {
        scheme: "bearer",
        parameters: {
          realm: "https://auth.example/token",
          service: "S",
          scope: "repository:a/b:pull,push",
        },
      },
    ],
  ],
  [
    'bearer Realm = "a" , error=insufficient_scope, Basic realm="b, c", Negotiate',
    [
      { scheme: "bearer", parameters: { realm: "a", error: "insufficient_scope" } },
      { scheme: "basic", parameters: { realm: "b, c" } },
      { scheme: "negotiate", parameters: {} },
    ],
  ],
  [
    'Basic realm="a \\"quoted\\" \\\\ one"',
    [{ scheme: "basic", parameters: { realm: 'a "quoted" \\ one' } }],
  ],
])("%p", (header, challenges) => {
  expect(parseChallenges(header)).toEqual(challenges);
});

test("what cannot be understood ends the list", () => {
  expect(parseChallenges('Basic realm="never closed')[0]).toEqual({ scheme: "basic", parameters: {} });
  expect(parseChallenges('Basic realm="a" ; Bearer realm="b"')).toEqual([
    { scheme: "basic", parameters: { realm: "a" } },
  ]);
});

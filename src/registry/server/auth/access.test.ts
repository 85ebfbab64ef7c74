import { expect, test } from "bun:test";
import { formatScopes, parseScopes } from "./access.ts";
import { AccessList } from "./access-list.ts";
import { requiredAccess } from "./required-access.ts";

test.each([
  ["repository:a/b:pull", [{ type: "repository", name: "a/b", actions: ["pull"] }]],
  [
    "repository:host:5000/a:pull,push",
    [{ type: "repository", name: "host:5000/a", actions: ["pull", "push"] }],
  ],
  [
    "registry:catalog:* repository(plugin):p:pull",
    [
      { type: "registry", name: "catalog", actions: ["*"] },
      { type: "repository(plugin)", name: "p", actions: ["pull"] },
    ],
  ],
  ["nonsense repository::pull", []],
  ["", []],
])("the scope %p is read", (text, accesses) => {
  expect(parseScopes(text)).toEqual(accesses);
  if (accesses.length > 0) expect(formatScopes(accesses)).toBe(text);
});

test.each([
  ["GET", "/v2/", "", ""],
  ["GET", "/v2/_catalog", "", "registry:catalog:*"],
  ["HEAD", "/v2/a/manifests/x", "a", "repository:a:pull"],
  ["PUT", "/v2/a/manifests/x", "a", "repository:a:pull,push"],
  ["DELETE", "/v2/a/manifests/x", "a", "repository:a:delete"],
  ["POST", "/v2/a/blobs/uploads/", "a", "repository:a:pull,push"],
  ["GET", "/v2/a/blobs/uploads/1", "a", "repository:a:pull,push"],
  ["DELETE", "/v2/a/blobs/uploads/1", "a", "repository:a:pull,push"],
])("%s %s needs %p", (method, path, repository, scope) => {
  const [, name, needed] = [method, repository, requiredAccess(method, { path, repository, reference: "" })];
  expect([name, formatScopes(needed)]).toEqual([repository, scope]);
});

const list = AccessList.parse(
  "# who what\nann ** pull,push,delete\nbob team/** pull,push\n* {user}/* pull,push\nanonymous public/*/free pull # all\n",
  "rules",
);

test.each([
  ["ann", "any/thing", "*", "pull,push,delete,*"],
  ["bob", "team/a/b", "pull,push,delete", "pull,push"],
  ["bob", "team", "pull", ""],
  ["bob", "bob/x", "*", "pull,push"],
  ["bob", "ann/x", "pull", ""],
  ["b.b", "bab/x", "pull", ""], // a name is no pattern
  [undefined, "public/x/free", "pull,push", "pull"],
  [undefined, "public/x/y/free", "pull", ""],
  [undefined, "{user}/x", "pull", ""],
  ["eve", "public/x/free", "pull", "pull"],
])("%p may in %s of %s: %p", (user, name, asked, granted) => {
  const access = list.grant(user, { type: "repository", name, actions: asked.split(",") });
  expect(access.actions.join(",")).toBe(granted);
});

test("the catalog is for those who may pull everything", () => {
  const catalog = { type: "registry", name: "catalog", actions: ["*"] };
  expect(["ann", "bob", undefined].map((user) => list.grant(user, catalog).actions)).toEqual([["*"], [], []]);
});

test.each([
  ["ann pull", "rules line 1: expected USER PATTERN ACTIONS"],
  ["\nann ** fly", "rules line 2: unknown action fly"],
  ["ann A** pull", "rules line 1: A** is no pattern"],
])("refuses %p", (text, message) => {
  expect(() => AccessList.parse(text, "rules")).toThrow(message);
});

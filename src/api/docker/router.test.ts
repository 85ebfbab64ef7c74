import { describe, expect, test } from "bun:test";
import { parseVersionedPath } from "./api-version.ts";
import type { Route } from "./route.ts";
import { Router } from "./router.ts";

const route = (method: Route["method"], path: string): Route => ({ method, path, handle: () => undefined });
const router = new Router([
  route("GET", "/containers/json"),
  route("GET", "/containers/{id}/json"),
  route("DELETE", "/containers/{id}"),
  route("GET", "/images/json"),
  route("GET", "/images/{name}/json"),
  route("DELETE", "/images/{name}"),
  route("POST", "/exec/{id}/start"),
]);

describe("the router", () => {
  test.each([
    ["GET", "/containers/json", "/containers/json", {}],
    ["GET", "/containers/web/json", "/containers/{id}/json", { id: "web" }],
    ["GET", "/images/json", "/images/json", {}],
    ["GET", "/images/localhost:5000/a/b:1/json", "/images/{name}/json", { name: "localhost:5000/a/b:1" }],
    ["GET", "/images/localhost%3A5000%2Fa/json", "/images/{name}/json", { name: "localhost:5000/a" }],
    ["GET", "/images/json/json", "/images/{name}/json", { name: "json" }],
    ["DELETE", "/images/a/json", "/images/{name}", { name: "a/json" }],
    ["GET", "/containers/100%/json", "/containers/{id}/json", { id: "100%" }],
  ])("%s %s is %s with %p", (method, path, wanted, params) => {
    const match = router.match(method, path);
    expect(match.route.path).toBe(wanted);
    expect(match.params).toEqual(params);
  });

  test.each([
    ["GET", "/nothing"],
    ["PUT", "/containers/json"], // there is no 405
    ["GET", "/containers//json"],
    ["GET", "/"],
  ])("%s %s is not found", (method, path) => {
    expect(() => router.match(method, path)).toThrow("page not found");
  });
});

describe("a version prefix", () => {
  test.each([
    ["/v1.41/info", 41, "/info"],
    ["/v1.24/_ping", 24, "/_ping"],
    ["/info", 51, "/info"],
    ["/v1.51/images/v1.2/json", 51, "/images/v1.2/json"],
    ["/v1x/info", 51, "/v1x/info"],
  ])("%s is version %p of %s", (path, minor, rest) => {
    expect(parseVersionedPath(path)).toEqual({ minor, path: rest });
  });

  test("that is too old or too new is refused with Docker's wording", () => {
    expect(() => parseVersionedPath("/v1.23/info")).toThrow(
      "client version 1.23 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version",
    );
    expect(() => parseVersionedPath("/v1.52/info")).toThrow(
      "client version 1.52 is too new. Maximum supported API version is 1.51",
    );
    expect(() => parseVersionedPath("/v2.0/info")).toThrow("too new");
  });
});

import { expect, test } from "bun:test";
import { registryCode } from "./registry-error.ts";
import { findRoute } from "./router.ts";
import { deleteManifest } from "./routes/delete-manifest.ts";
import { getBlob } from "./routes/get-blob.ts";
import { getManifest } from "./routes/get-manifest.ts";
import { listTags } from "./routes/list-tags.ts";
import { startUpload } from "./routes/start-upload.ts";
import { uploadStatus } from "./routes/upload-status.ts";

test.each([
  ["GET", "/v2/a/blobs/sha256:1", getBlob, "a", "sha256:1"],
  ["HEAD", "/v2/a/b/blobs/sha256%3A1", getBlob, "a/b", "sha256:1"],
  ["GET", "/v2/a/blobs/blobs/x", getBlob, "a/blobs", "x"], // a repository called a/blobs
  ["POST", "/v2/a/blobs/uploads/", startUpload, "a", ""],
  ["POST", "/v2/a/blobs/uploads", startUpload, "a", ""],
  ["GET", "/v2/a/blobs/uploads/id", uploadStatus, "a", "id"],
  ["GET", "/v2/a/manifests/v1", getManifest, "a", "v1"],
  ["DELETE", "/v2/tags/manifests/list", deleteManifest, "tags", "list"],
  ["GET", "/v2/manifests/tags/list", listTags, "manifests", ""],
] as const)("%s %s", (method, path, handle, repository, reference) => {
  expect(findRoute(method, path)).toEqual({ handle, target: { path, repository, reference } });
});

test.each([
  ["GET", "/v2/A/manifests/v1", "NAME_INVALID"],
  ["GET", "/v2/a/../b/manifests/v1", "NAME_INVALID"],
  ["GET", "/v2/a/%2e%2e/manifests/v1", "NAME_INVALID"],
  ["GET", "/v2/_uploads/manifests/v1", "NAME_INVALID"],
  ["GET", "/v2/a%00/manifests/v1", "NAME_INVALID"],
  ["GET", "/v2/%zz/manifests/v1", "NAME_INVALID"],
  ["GET", `/v2/${"a/".repeat(127)}aa/manifests/v1`, "NAME_INVALID"], // 256 characters
])("%s %s is %s", (method, path, wanted) => {
  let code: string | undefined;
  try {
    findRoute(method, path);
  } catch (error) {
    code = registryCode(error);
  }
  expect(code).toBe(wanted);
});

test.each(["/", "/v1/x", "/v2x", "/v2/a", "/v2/a/blobs/", "/v2/a/manifests/b/c"])("%s is nothing", (path) => {
  expect(findRoute("GET", path)).toBeUndefined();
});

import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PlatformError } from "../../errors/platform-error.ts";
import { digestHex, digestOf } from "../../formats/digest.ts";
import { Surveyor } from "./surveyor.ts";

test("a look that is given up ends with that, and finds nothing wrong with what it did not read", async () => {
  const root = mkdtempSync(join(tmpdir(), "gantry-survey-"));
  const blobs = join(root, "content/blobs/sha256");
  mkdirSync(blobs, { recursive: true });
  writeFileSync(join(blobs, digestHex(digestOf("text"))), "text");
  const abort = new AbortController();
  const hasher = {
    hash: async (_path: string, _algorithm: string, signal: AbortSignal) => {
      abort.abort(new Error("the client has gone"));
      expect(signal.aborted).toBe(true);
      throw new PlatformError("Cancelled", "hash job was cancelled");
    },
  };
  const surveyor = new Surveyor({ root, bootId: "test", hasher, signal: abort.signal });
  await expect(surveyor.look()).rejects.toThrow("the client has gone");
  rmSync(root, { recursive: true });
});

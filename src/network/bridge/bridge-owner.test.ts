import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NetworkRecords } from "../records/network-records.ts";
import { formatOwner, isAbandoned, parseOwner } from "./bridge-owner.ts";

const networkId = "ab".repeat(32);

describe("the owner of a bridge", () => {
  test("stands in its alias", () => {
    const owner = { networkId, root: "/var/lib/gan try" };
    expect(parseOwner(formatOwner(owner))).toEqual(owner);
  });

  test.each(["", "uplink of rack 7", "gantry", `gantry ${networkId}`, `gantry ${networkId} relative`])(
    "is nobody of gantry's in %p",
    (alias) => {
      expect(parseOwner(alias)).toBeUndefined();
      expect(isAbandoned(alias)).toBe(false);
    },
  );

  test("is gone when its data are, or are another engine's", () => {
    const root = mkdtempSync(join(tmpdir(), "gantry-owner-"));
    const { id } = new NetworkRecords(join(root, "networks")).get("bridge");
    expect(isAbandoned(formatOwner({ networkId: id, root }))).toBe(false);
    expect(isAbandoned(formatOwner({ networkId, root }))).toBe(true);
    rmSync(root, { recursive: true });
    expect(isAbandoned(formatOwner({ networkId: id, root }))).toBe(true);
  });

  test("whose path does not fit is not asked", () => {
    expect(isAbandoned(formatOwner({ networkId, root: `/${"x".repeat(300)}` }))).toBe(false);
  });
});

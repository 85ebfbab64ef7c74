import { expect, test } from "bun:test";
import { digestOf } from "../../formats/digest.ts";
import { Leases } from "./leases.ts";

const [blob, layer] = [digestOf("blob"), digestOf("layer")];

test("a thing is held until the last holder has ended, also by an error", async () => {
  const leases = new Leases();
  const inner = leases.withLease(async (lease) => {
    lease.holdBlob(blob);
    lease.holdBlob(blob);
    lease.holdLayer(layer);
    await leases.withLease(async (other) => other.holdBlob(blob));
    expect([leases.holdsBlob(blob), leases.holdsLayer(layer), leases.holdsLayer(blob)]).toEqual([
      true,
      true,
      false,
    ]);
    expect([...lease.blobs]).toEqual([blob]);
    throw new Error("broken");
  });
  await expect(inner).rejects.toThrow("broken");
  expect([leases.holdsBlob(blob), leases.holdsLayer(layer)]).toEqual([false, false]);
});

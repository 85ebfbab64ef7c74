import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NetworkRecords } from "./network-records.ts";

describe("network records", () => {
  let directory = "";
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "gantry-records-"));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  test("are the three networks, each with an id", () => {
    const records = new NetworkRecords(directory);
    expect(records.list().map(({ name, driver }) => [name, driver])).toEqual([
      ["bridge", "bridge"],
      ["host", "host"],
      ["none", "null"],
    ]);
    for (const { id } of records.list()) expect(id).toMatch(/^[0-9a-f]{64}$/);
  });

  test("are the same after a restart, with what was saved", () => {
    const records = new NetworkRecords(directory);
    records.save({ ...records.get("bridge"), subnet: "172.20.0.0/16", bridgeName: "gantry3" });
    expect(new NetworkRecords(directory).list()).toEqual(records.list());
    expect(readdirSync(directory).toSorted()).toEqual(["bridge.json", "host.json", "none.json"]);
  });

  test.each(["", "{", "[]", '{"id":1,"name":"bridge"}'])("with content %p are made anew", (content) => {
    writeFileSync(join(directory, "bridge.json"), content);
    expect(new NetworkRecords(directory).get("bridge").id).toMatch(/^[0-9a-f]{64}$/);
  });
});

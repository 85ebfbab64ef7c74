import { describe, expect, test } from "bun:test";
import {
  adjustCapabilities,
  availableCapabilities,
  capabilitiesOf,
  capabilityMask,
  capabilityNumber,
  defaultCapabilities,
} from "./capabilities.ts";

const all = availableCapabilities((1n << 41n) - 1n, 40);

describe("numbers and masks", () => {
  test.each([
    ["CAP_CHOWN", 0],
    ["CAP_SYS_ADMIN", 21],
    ["CAP_SETFCAP", 31],
    ["CAP_CHECKPOINT_RESTORE", 40],
  ])("%s is %p", (name, number) => {
    expect(capabilityNumber(name)).toBe(number);
  });

  test("the default set is what /proc/PID/status of a Docker container shows", () => {
    expect(capabilityMask(defaultCapabilities)).toBe(0x00000000a80425fbn);
    expect(capabilitiesOf(0xa80425fbn).sort()).toEqual([...defaultCapabilities].sort());
  });

  test("what the engine itself lacks is not available", () => {
    const available = availableCapabilities(((1n << 41n) - 1n) & ~(1n << 24n), 40);
    expect(available).not.toContain("CAP_SYS_RESOURCE");
    expect(available).toHaveLength(40);
    expect(availableCapabilities((1n << 41n) - 1n, 37)).not.toContain("CAP_BPF");
  });
});

describe("--cap-add and --cap-drop", () => {
  const adjust = (add: string[], drop: string[]) => adjustCapabilities(defaultCapabilities, add, drop, all);

  test("take names in any case, with or without CAP_", () => {
    expect(adjust(["net_admin", "CAP_SYS_TIME"], [])).toEqual([
      ...defaultCapabilities,
      "CAP_NET_ADMIN",
      "CAP_SYS_TIME",
    ]);
    expect(adjust([], ["chown"])).not.toContain("CAP_CHOWN");
  });

  test("ALL is everything or nothing, and the other list still counts", () => {
    expect(adjust(["ALL"], [])).toEqual([...all]);
    expect(adjust(["ALL"], ["SYS_ADMIN"])).toEqual(all.filter((name) => name !== "CAP_SYS_ADMIN"));
    expect(adjust([], ["ALL"])).toEqual([]);
    expect(adjust(["CHOWN"], ["ALL"])).toEqual(["CAP_CHOWN"]);
  });

  test("what is added wins over what is dropped", () => {
    expect(adjust(["CHOWN"], ["CHOWN"])).toContain("CAP_CHOWN");
  });

  test("unknown and unavailable names are refused", () => {
    expect(() => adjust(["FLY"], [])).toThrow('unknown capability: "CAP_FLY"');
    expect(() => adjust([], ["FLY"])).toThrow('unknown capability: "CAP_FLY"');
    const without = all.filter((name) => name !== "CAP_SYS_RESOURCE");
    expect(() => adjustCapabilities([], ["SYS_RESOURCE"], [], without)).toThrow(
      "not available in the current environment",
    );
    expect(adjustCapabilities([], [], ["SYS_RESOURCE"], without)).toEqual([]);
  });
});

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FollowOptions, type LogQuery, readLogs } from "./read-logs.ts";

let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "gantry-logs-"));
  path = join(directory, "c-json.log");
});
afterEach(() => rmSync(directory, { recursive: true }));

const line = (log: string, stream = "stdout", second = 0): string =>
  `${JSON.stringify({ log: `${log}\n`, stream, time: `1970-01-01T00:00:${String(second).padStart(2, "0")}.5Z` })}\n`;

const everything: LogQuery = {
  stdout: true,
  stderr: true,
  sinceNs: undefined,
  untilNs: undefined,
  tail: undefined,
};

async function texts(query: Partial<LogQuery> = {}): Promise<string[]> {
  const found: string[] = [];
  for await (const batch of readLogs(
    path,
    { ...everything, ...query },
    undefined,
    new AbortController().signal,
  ))
    found.push(...batch.map((entry) => entry.text.trimEnd()));
  return found;
}

describe("reading a log", () => {
  test("that does not exist gives nothing", async () => {
    expect(await texts()).toEqual([]);
  });

  test("goes over rotated files, oldest first", async () => {
    writeFileSync(`${path}.10`, line("a"));
    writeFileSync(`${path}.2`, line("b"));
    writeFileSync(`${path}.1`, line("c"));
    writeFileSync(path, line("d"));
    writeFileSync(`${path}.gz`, "not a part of it");
    expect(await texts()).toEqual(["a", "b", "c", "d"]);
  });

  test("skips a torn line and an unfinished last one", async () => {
    writeFileSync(path, `${line("a")}{"log":"b\n${line("c")}{"log":"d`);
    expect(await texts()).toEqual(["a", "c"]);
  });

  test("ends, although lines are written faster than they are read", async () => {
    writeFileSync(path, line("first").repeat(5000));
    let batches = 0;
    const reading = readLogs(path, everything, undefined, new AbortController().signal);
    for await (const batch of reading) {
      batches += batch.length > 0 ? 1 : 0;
      appendFileSync(path, line("later").repeat(5000));
      if (batches > 20) break;
    }
    expect(batches).toBeLessThan(10);
  });

  test.each([
    [0, []],
    [1, ["e"]],
    [3, ["c", "d", "e"]],
    [5, ["a", "b", "c", "d", "e"]],
    [99, ["a", "b", "c", "d", "e"]],
  ])("tail %p gives %p", async (tail, wanted) => {
    writeFileSync(`${path}.1`, line("a") + line("b"));
    writeFileSync(path, line("c") + line("d") + line("e"));
    expect(await texts({ tail })).toEqual(wanted);
  });

  test("tail finds its start in a file of many blocks", async () => {
    const many = Array.from({ length: 5000 }, (_, n) => `line ${n}`);
    writeFileSync(path, many.map((text) => line(text)).join(""));
    expect(await texts({ tail: 3000 })).toEqual(many.slice(2000));
  });

  test("streams and times are selected", async () => {
    writeFileSync(path, line("a", "stdout", 1) + line("b", "stderr", 2) + line("c", "stdout", 3));
    expect(await texts({ stderr: false })).toEqual(["a", "c"]);
    expect(await texts({ stdout: false })).toEqual(["b"]);
    expect(await texts({ sinceNs: 2_500_000_000n })).toEqual(["b", "c"]);
    expect(await texts({ untilNs: 2_500_000_000n })).toEqual(["a", "b"]);
  });

  test("a line longer than the reader's chunk stays whole", async () => {
    const long = "x".repeat(700_000);
    writeFileSync(path, line("a") + line(long) + line("b"));
    expect(await texts()).toEqual(["a", long, "b"]);
  });
});

/** A container's process as the follower sees it. */
function fakeProcess(): { follow: FollowOptions; end: () => void } {
  let ended = false;
  let tell: () => void = () => undefined;
  const follow: FollowOptions = {
    hasEnded: () => ended,
    onEnd: (callback) => {
      tell = callback;
      return () => undefined;
    },
  };
  return {
    follow,
    end: () => {
      ended = true;
      tell();
    },
  };
}

describe("following a log", () => {
  test("gives what is appended, over rotations, to the last line, and ends with the process", async () => {
    const process = fakeProcess();
    writeFileSync(path, line("1"));
    const found: string[] = [];
    const steps: Record<string, () => void> = {
      "1": () => appendFileSync(path, line("2")),
      "2": () => {
        appendFileSync(path, line("3"));
        renameSync(path, `${path}.1`);
        writeFileSync(path, line("4"));
      },
      "4": () => {
        // twice before the follower looks again
        appendFileSync(path, line("5"));
        renameSync(`${path}.1`, `${path}.3`);
        renameSync(path, `${path}.2`);
        writeFileSync(`${path}.1`, line("6"));
        writeFileSync(path, line("7"));
      },
      "7": () => {
        appendFileSync(path, line("8"));
        process.end();
      },
    };
    for await (const batch of readLogs(path, everything, process.follow, new AbortController().signal)) {
      for (const entry of batch) {
        const text = entry.text.trimEnd();
        found.push(text);
        steps[text]?.();
      }
    }
    expect(found).toEqual(["1", "2", "3", "4", "5", "6", "7", "8"]);
  });

  test("waits for a log that does not exist yet", async () => {
    const process = fakeProcess();
    const reader = readLogs(path, everything, process.follow, new AbortController().signal);
    const first = reader.next();
    writeFileSync(path, line("a"));
    expect((await first).value?.[0]?.text).toBe("a\n");
    process.end();
    expect((await reader.next()).done).toBe(true);
  });

  test("ends when its signal aborts", async () => {
    const controller = new AbortController();
    const reader = readLogs(path, everything, fakeProcess().follow, controller.signal);
    const first = reader.next();
    controller.abort();
    expect((await first).done).toBe(true);
  });

  test("ends at `until`, even when nothing is written", async () => {
    const reader = readLogs(
      path,
      { ...everything, untilNs: 1n },
      fakeProcess().follow,
      new AbortController().signal,
    );
    expect((await reader.next()).done).toBe(true);
  });
});

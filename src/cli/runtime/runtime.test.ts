import { expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseFlags } from "../flags.ts";
import { preserveFdsOf } from "./create-flags.ts";
import { execFlags } from "./exec-flags.ts";
import { execProcessSpec } from "./exec-process-spec.ts";
import { RuntimeLog } from "./runtime-log.ts";

test("the log has runc's lines: JSON or text in the file, the bare message of errors on standard error", () => {
  const directory = mkdtempSync(join(tmpdir(), "gantry-runtime-log-"));
  try {
    const shown: string[] = [];
    const now = () => new Date("2026-01-02T15:04:05.678Z");
    const file = join(directory, "log");
    new RuntimeLog(file, "json", false, (line) => shown.push(line), now).error('exec: "x": no');
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual({
      level: "error",
      msg: 'exec: "x": no',
      time: "2026-01-02T15:04:05Z",
    });
    expect(shown).toEqual(['exec: "x": no\n']);
    new RuntimeLog(file, "text", false, () => {}, now).debug("not shown");
    expect(readFileSync(file, "utf8").split("\n")).toHaveLength(2);

    shown.length = 0;
    new RuntimeLog(file, "text", false, (line) => shown.push(line), now).warn("odd");
    expect(shown).toEqual([]);
    expect(readFileSync(file, "utf8")).toEndWith('time="2026-01-02T15:04:05Z" level=warning msg="odd"\n');
    for (const none of [undefined, "", join(directory, "nowhere", "log")])
      new RuntimeLog(none, "json", false, (line) => shown.push(line), now).error('exec: "x": no');
    const text = 'time="2026-01-02T15:04:05Z" level=error msg="exec: \\"x\\": no"\n';
    expect(shown).toEqual([text, text, text]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

const own = {
  cwd: "/",
  env: ["A=1"],
  args: ["own"],
  terminal: true,
  user: { uid: 1, gid: 2, additionalGids: [3] },
  capabilities: { bounding: ["CAP_KILL"], inheritable: ["CAP_KILL"] },
};

function processOf(...argv: string[]) {
  const { values, given, args } = parseFlags(execFlags, argv, { interspersed: false });
  return execProcessSpec(own, args, values, given);
}

test("exec takes over the container's process, but its terminal", () => {
  expect(processOf("sh")).toEqual({ ...own, args: ["sh"], terminal: false });
});

test("exec's flags change it", () => {
  const process = processOf(
    "-t",
    "-u",
    "5",
    "-g",
    "9",
    "-e",
    "B=2",
    "--cwd",
    "/x",
    "-c",
    "net_raw",
    "sh",
    "-c",
  );
  expect(process).toMatchObject({
    args: ["sh", "-c"],
    terminal: true,
    user: { uid: 5, gid: 2, additionalGids: [3, 9] },
    env: ["A=1", "B=2"],
    cwd: "/x",
  });
  expect(process.capabilities).toEqual({
    bounding: ["CAP_KILL", "CAP_NET_RAW"],
    effective: ["CAP_NET_RAW"],
    permitted: ["CAP_NET_RAW"],
    inheritable: ["CAP_KILL"],
  });
});

test.each(["root", "-1", "1:2:3", "4294967295", "1:", ""])("exec --user %p is refused", (user) => {
  expect(() => processOf(`--user=${user}`, "sh")).toThrow("--user");
});

test("preserved descriptors are those of socket activation and the further ones", () => {
  expect(preserveFdsOf(undefined, {})).toBe(0);
  expect(preserveFdsOf(2, { LISTEN_FDS: "3" })).toBe(5);
  expect(preserveFdsOf(2, { LISTEN_FDS: "many" })).toBe(2);
  expect(() => preserveFdsOf(-1, {})).toThrow("--preserve-fds");
});

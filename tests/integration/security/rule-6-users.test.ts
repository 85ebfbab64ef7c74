import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { TestRuntime, type TestSpec } from "../../fixtures/bundle.ts";
import { clients } from "../../fixtures/engine.ts";
import { useMachine } from "../../fixtures/machine.ts";
import { loadHostile } from "./hostile-image.ts";

const machine = useMachine("rule-6", []);
const passwd = [
  "1000:x:0:0::/root:/bin/sh",
  "root:x:0:0:root:/root:/bin/sh",
  "broken:x:1a:33::/:/bin/sh",
  "empty:x:::/:/bin/sh",
  "huge:x:4294967296:1::/:/bin/sh",
  "minus:x:-1:1::/:/bin/sh",
  "octal:x:0x0:0::/:/bin/sh",
  "short",
  "windows:x:0:0::/:/bin/sh\r",
  "web:x:33:33::/:/bin/sh",
].join("\n");
const group = "1000:x:0:\nroot:x:0:\nodd:x:99999999999:\nbad:x:zero:web2\n";

beforeAll(async () => {
  await loadHostile(machine.engine, "users", [
    { name: "etc/passwd", content: passwd },
    { name: "etc/group", content: group },
  ]);
  await machine.engine.must("gantry", "run", "-d", "--name", "users", "users", "sleep", "1000");
});

const refused = [
  "2147483648",
  "4294967295",
  "4294967296",
  "18446744073709551616",
  "-1",
  "+0",
  "0:-1",
  "33:4294967296",
]
  .concat(["0x0", "00x", "1e3", " 0", "0 ", "broken", "empty", "huge", "minus", "octal", "short", "windows"])
  .concat(["no-such-user", "web:odd", "web:bad", "web:none", "web:0:0", "web:-0"]);

describe.each(clients)("CVE-2026-30892, with %s", (client) => {
  const call = (...args: string[]) => machine.engine[client](args);

  test.each(refused)("run -u %j is refused, not run as root", async (user) => {
    const { exitCode, stdout } = await call(
      "run",
      "--rm",
      "-u",
      user,
      "users",
      "sh",
      "-c",
      "echo RAN; id -u",
    );
    expect(exitCode).not.toBe(0);
    expect(stdout).not.toContain("RAN");
  });

  test.each(refused)("exec -u %j is refused, not run as root", async (user) => {
    const { exitCode, stdout } = await call("exec", "-u", user, "users", "sh", "-c", "echo RAN; id -u");
    expect(exitCode).not.toBe(0);
    expect(stdout).not.toContain("RAN");
  });

  test.each([
    ["1000", "1000 0"], // whatever name the image gives to its root
    ["1000:1000", "1000 1000"],
    ["web", "33 33"],
    ["2147483647", "2147483647 0"],
  ])("-u %s is %s", async (user, ids) => {
    const script = "awk '/^(Uid|Gid)/ { printf \"%s \", $2 }' /proc/self/status";
    for (const words of [
      ["run", "--rm", "-u", user, "users"],
      ["exec", "-u", user, "users"],
    ])
      expect((await call(...words, "sh", "-c", script)).stdout.trim()).toBe(ids);
  });
});

test.each(["4294967296", "-1", "broken"])("CVE-2026-30892: USER %s of an image is refused", async (user) => {
  await loadHostile(machine.engine, "user-image", [{ name: "etc/passwd", content: passwd }], {
    config: { User: user },
  });
  const { exitCode, stdout } = await machine.engine.gantry(["run", "--rm", "user-image", "echo", "RAN"]);
  expect(exitCode).not.toBe(0);
  expect(stdout).toBe("");
});

describe("CVE-2026-30892, in `gantry runtime`", () => {
  let runtime: TestRuntime;
  beforeAll(async () => {
    runtime = await TestRuntime.open();
    await runtime.must("run", "--detach", "--bundle", runtime.bundle(["sleep", "1000"]), "box");
  });
  afterAll(() => runtime[Symbol.asyncDispose]());

  const beyond: TestSpec["process"]["user"][] = [
    { uid: 4294967295, gid: 1 },
    { uid: 1, gid: 4294967295 },
    { uid: 1, gid: 1, additionalGids: [4294967295] },
    { uid: 2147483648, gid: 1 },
    { uid: 4294967296, gid: 1 },
    { uid: -1, gid: 1 },
  ];

  // 4294967295 is -1 to setresuid(2): "leave it as it is", which is root.
  test.each(beyond)("%j is refused in config.json and in exec's process.json", async (user) => {
    const args = ["sh", "-c", "echo RAN; id"];
    const bundle = runtime.bundle(args, (spec) => {
      spec.process.user = user;
    });
    const file = join(bundle, "process.json");
    writeFileSync(file, JSON.stringify({ args, cwd: "/", user }));
    for (const words of [
      ["run", "--bundle", bundle, "refused"],
      ["exec", "--process", file, "box"],
    ]) {
      const { exitCode, stdout, stderr } = await runtime.run(words);
      expect(exitCode).not.toBe(0);
      expect(stdout).toBe("");
      expect(stderr).toContain("expected an integer from 0 to 2147483647");
    }
  });
});

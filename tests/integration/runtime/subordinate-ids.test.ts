import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { runtimeMissing, TestRuntime, type TestSpec } from "../../fixtures/bundle.ts";
import type { CommandResult } from "../../fixtures/command.ts";
import { gantryPath } from "../../fixtures/places.ts";
import { SeccompAgent } from "../../fixtures/seccomp-agent.ts";
import { waitFor } from "../../fixtures/wait-for.ts";

const id = 65533;
const first = 700000;
const tools = ["setpriv", "unshare", "mount", "newuidmap", "newgidmap"];
const missingTool = tools.find((name) => Bun.which(name) === null);
const reason = runtimeMissing() ?? (missingTool === undefined ? undefined : `needs ${missingTool}`);

/** The unprivileged user has an own /etc/passwd, /etc/subuid and /etc/subgid, bound in a mount namespace of each command. */
describe.skipIf(reason !== undefined)(`subordinate ids${reason ? ` (${reason})` : ""}`, () => {
  let runtime: TestRuntime;
  let home: string;
  let template: TestSpec;
  let ran = 0;

  beforeAll(async () => {
    runtime = await TestRuntime.open();
    chmodSync(runtime.directory, 0o755);
    home = join(runtime.directory, "home");
    for (const path of [home, join(home, "run")]) mkdirSync(path);
    for (const path of [home, join(home, "run"), runtime.rootfs]) chownSync(path, id, id);
    copyFileSync(gantryPath, join(runtime.directory, "gantry-runtime"));
    chmodSync(join(runtime.directory, "gantry-runtime"), 0o755);
    const passwd = readFileSync("/etc/passwd", "utf8");
    writeFileSync(join(runtime.directory, "passwd"), `${passwd}rootless:x:${id}:${id}::${home}:/bin/sh\n`);
    for (const file of ["subuid", "subgid"])
      writeFileSync(join(runtime.directory, file), `rootless:${first}:65536\n`);
    const made = await asUser(["spec", "--rootless", "--bundle", home]);
    if (made.exitCode !== 0) throw new Error(made.stderr);
    template = JSON.parse(readFileSync(join(home, "config.json"), "utf8"));
  });
  afterAll(async () => {
    for (const name of ["life", "joined"]) await asUser(["delete", "--force", name]);
    await runtime[Symbol.asyncDispose]();
  });

  /** Output goes to files, as a container of `create` keeps what it inherits. */
  async function asUser(
    words: readonly string[],
    { path = process.env.PATH ?? "", files = true } = {},
  ): Promise<CommandResult> {
    const base = join(runtime.directory, `out-${ran++}`);
    const binds = (files ? ["passwd", "subuid", "subgid"] : ["passwd"])
      .map((file) => `mount --bind ${runtime.directory}/${file} /etc/${file} && `)
      .join("");
    const become = `setpriv --reuid ${id} --regid ${id} --clear-groups`;
    const script = `${binds}exec ${become} env PATH="$0" ${runtime.directory}/gantry-runtime "$@"`;
    const child = Bun.spawn(
      ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, path, ...words],
      {
        cwd: home,
        stdin: "ignore",
        stdout: Bun.file(`${base}.out`),
        stderr: Bun.file(`${base}.err`),
        env: { ...process.env, XDG_RUNTIME_DIR: join(home, "run") },
        timeout: 20_000,
        killSignal: "SIGKILL",
      },
    );
    const exitCode = await child.exited;
    return {
      exitCode,
      stdout: readFileSync(`${base}.out`, "utf8"),
      stderr: readFileSync(`${base}.err`, "utf8"),
    };
  }

  const mapped = (start: number, size: number) => [
    { containerID: 0, hostID: id, size: 1 },
    { containerID: 1, hostID: start, size },
  ];

  /** A bundle of the user's, with root as itself and 65536 more ids. */
  function bundle(name: string, args: string[], change: (spec: TestSpec) => void = () => {}): string {
    const directory = join(home, name);
    mkdirSync(directory);
    const spec: TestSpec = structuredClone(template);
    spec.process.terminal = false;
    spec.process.args = args;
    spec.root = { path: runtime.rootfs, readonly: false };
    spec.linux.uidMappings = mapped(first, 65536);
    spec.linux.gidMappings = mapped(first, 65536);
    change(spec);
    writeFileSync(join(directory, "config.json"), JSON.stringify(spec));
    return directory;
  }

  test("newuidmap and newgidmap map them; a process may become any of them", async () => {
    const path = bundle("user", ["sh", "-c", "id; cat /proc/self/uid_map /proc/self/gid_map"], (spec) => {
      spec.process.user = { uid: 1000, gid: 1000, additionalGids: [2000] };
    });
    const result = await asUser(["run", "--bundle", path, "user"]);
    expect(result.stdout.replace(/ +/g, " ")).toBe(
      `uid=1000 gid=1000 groups=2000\n${` 0 ${id} 1\n 1 ${first} 65536\n`.repeat(2)}`,
    );
    expect(result.exitCode).toBe(0);
  });

  test("files made inside belong to the subordinate id outside", async () => {
    const path = bundle("files", ["touch", "/tmp/made"], (spec) => {
      spec.process.user = { uid: 5, gid: 7 };
    });
    mkdirSync(join(runtime.rootfs, "tmp"), { recursive: true });
    chmodSync(join(runtime.rootfs, "tmp"), 0o1777);
    expect((await asUser(["run", "--bundle", path, "files"])).exitCode).toBe(0);
    expect(statSync(join(runtime.rootfs, "tmp/made"))).toMatchObject({ uid: first + 4, gid: first + 6 });
  });

  test("create, start, exec, list, state, kill and delete as that user", async () => {
    const path = bundle("life", ["sleep", "1000"], (spec) => {
      spec.process.user = { uid: 1000, gid: 1000 };
      spec.process.rlimits = [{ type: "RLIMIT_NOFILE", soft: 100, hard: 200 }];
    });
    expect((await asUser(["create", "--bundle", path, "life"])).stderr).toContain("no cgroup is delegated");
    expect(JSON.parse((await asUser(["state", "life"])).stdout)).toMatchObject({ status: "created" });
    expect((await asUser(["start", "life"])).exitCode).toBe(0);
    const listed = JSON.parse((await asUser(["list", "--format", "json"])).stdout);
    expect(listed).toMatchObject([{ id: "life", status: "running", owner: "rootless" }]);
    const inside = await asUser(["exec", "--user", "5:7", "life", "sh", "-c", "id -u; id -g; ulimit -n"]);
    expect(inside.stdout).toBe("5\n7\n100\n");
    expect((await asUser(["exec", "life", "sh", "-c", "cat /proc/1/limits | grep open"])).stdout).toMatch(
      /100 +200/,
    );
    expect((await asUser(["kill", "life", "KILL"])).exitCode).toBe(0);
    await waitFor(
      "its end",
      async () => JSON.parse((await asUser(["state", "life"])).stdout).status === "stopped",
    );
    expect((await asUser(["delete", "life"])).exitCode).toBe(0);
    expect((await asUser(["list", "-q"])).stdout).toBe("");
  });

  test("a root that is a subordinate id itself", async () => {
    const path = bundle("strange", ["cat", "/proc/self/uid_map"], (spec) => {
      spec.linux.uidMappings = [{ containerID: 0, hostID: first, size: 10 }];
      spec.linux.gidMappings = [{ containerID: 0, hostID: first, size: 10 }];
    });
    expect(await asUser(["create", "--bundle", path, "joined"])).toMatchObject({ exitCode: 0 });
    expect((await asUser(["start", "joined"])).exitCode).toBe(0);
    expect((await asUser(["delete", "--force", "joined"])).exitCode).toBe(0);
  });

  test("clocks of its own at the same time", async () => {
    const path = bundle("clocks", ["cat", "/proc/self/timens_offsets"], (spec) => {
      spec.linux.namespaces.push({ type: "time" });
      spec.linux.timeOffsets = { boottime: { secs: 1000, nanosecs: 0 } };
    });
    const result = await asUser(["run", "--bundle", path, "clocks"]);
    expect(result.stdout).toMatch(/boottime +1000 +0/);
  });

  test("a seccomp listener of its own reaches the user's agent", async () => {
    using agent = new SeccompAgent(join(home, "agent.sock"));
    const path = bundle("asks", ["mkdir", "/tmp/asked"], (spec) => {
      spec.linux.seccomp = {
        defaultAction: "SCMP_ACT_ALLOW",
        listenerPath: agent.path,
        syscalls: [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_NOTIFY" }],
      };
    });
    const running = asUser(["run", "--bundle", path, "asks"]);
    using listener = agent.receive();
    listener.refuseNext(33); // EDOM
    expect((await running).stderr).toContain("Numerical argument out of domain");
  });

  test("ids that are not the user's are refused, with user, range, file and the way out", async () => {
    const path = bundle("other", ["true"], (spec) => {
      spec.linux.uidMappings = mapped(first, 65537);
    });
    const result = await asUser(["run", "--bundle", path, "other"]);
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain(
      `linux.uidMappings[1]: uids ${first} to ${first + 65536} are to be mapped, but /etc/subuid does not give uid ${first + 65536} to user rootless`,
    );
    expect(result.stderr).toContain(
      `hint: root may grant them: usermod --add-subuids ${first}-${first + 65536} rootless`,
    );
  });

  test("a user without any range", async () => {
    const path = bundle("none", ["true"]);
    const result = await asUser(["run", "--bundle", path, "none"], { files: false });
    expect(result).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("user rootless has no range in /etc/subuid"),
    });
  });

  test("a host without the tools", async () => {
    const path = bundle("tools", ["true"]);
    const result = await asUser(["run", "--bundle", path, "tools"], { path: "/nowhere" });
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain("newuidmap is not installed");
    expect(result.stderr).toContain("hint: install the package uidmap");
  });

  test("--rootless=false insists on cgroups", async () => {
    const path = bundle("strict", ["true"]);
    const result = await asUser([
      "--rootless",
      "false",
      "--root",
      join(home, "run/strict"),
      "run",
      "--bundle",
      path,
      "strict",
    ]);
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain("make cgroup");
  });
});

import { afterEach, describe, expect, test } from "bun:test";
import { dockerClient } from "../../fixtures/docker-client.ts";
import { type Client, clients } from "../../fixtures/engine.ts";
import { useMachine } from "../../fixtures/machine.ts";
import { gantryPath } from "../../fixtures/places.ts";
import { Terminal } from "../../fixtures/terminal.ts";
import { waitFor } from "../../fixtures/wait-for.ts";

const machine = useMachine("w17", ["busybox"]);

/** A client's command on a terminal of its own. */
async function terminal(client: Client, ...args: string[]): Promise<Terminal> {
  const { host } = machine.engine;
  const path = client === "gantry" ? gantryPath : (await dockerClient()).path;
  return new Terminal([path, ...args], {
    env: { GANTRY_HOST: host, DOCKER_HOST: host, DOCKER_CONFIG: "/nonexistent" },
  });
}

describe.each(clients)("W17 commands of every day, with %s", (client) => {
  const name = `daily-${client}`;
  const must = (...args: string[]) => machine.engine.must(client, ...args);
  const state = (field: string) => must("inspect", "-f", `{{.State.${field}}}`, name);

  afterEach(() => machine.engine[client](["rm", "-f", name]));

  test("run -it is a shell on a terminal, with its size and its exit code", async () => {
    await using shell = await terminal(client, "run", "--rm", "-it", "busybox", "sh");
    await shell.see(/# /);
    shell.type("tty && stty size\r");
    await shell.see(/\/dev\/pts\/0\r\n24 80\r\n/);
    shell.resize(100, 30);
    shell.type("until [ \"$(stty size)\" = '30 100' ]; do :; done; echo resi''zed\r");
    await shell.see(/resized/);
    shell.type("exit 7\r");
    expect(await shell.exitCode()).toBe(7);
  });

  test("detach leaves it running, attach finds it again", async () => {
    await using first = await terminal(client, "run", "-it", "--name", name, "busybox", "sh");
    await first.see(/# /);
    first.type("there=still\r");
    await first.see(/# /);
    first.type("\x10\x11"); // ctrl-p ctrl-q
    expect(await first.exitCode()).toBe(0);
    expect(await state("Running")).toBe("true");
    await using second = await terminal(client, "attach", name);
    await second.see(/# /); // drawn anew
    second.type("echo $there here\r");
    await second.see(/still here/);
    second.type("exit 3\r");
    expect(await second.exitCode()).toBe(3);
    expect(await state("ExitCode")).toBe("3");
    await must("rm", name);
  });

  test("top shows its processes with the columns of ps, and no others", async () => {
    await must("run", "-d", "--name", name, "busybox", "sh", "-c", "sleep 4711 & exec sleep 4712");
    const rows = (text: string) => text.split("\n").map((line) => line.split(/ {2,}/));
    await waitFor("both", async () => (await must("top", name)).includes("sleep 4711"));
    const [titles, ...full] = rows(await must("top", name));
    expect(titles).toEqual(["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"]);
    expect(full.map((row) => row.at(-1))).toEqual(["sleep 4712", "sleep 4711"]);
    expect(full[1]?.[2]).toBe(await state("Pid"));
    const chosen = rows(await must("top", name, "-o", "pid,comm"));
    expect(chosen).toEqual([["PID", "COMMAND"], ...full.map(([, pid = ""]) => [pid, "sleep"])]);
    for (const [args, message] of [
      [["-o", "comm"], "Couldn't find PID field in ps output"],
      [["-eo", "ppid=PID,comm"], 'specifying "ppid=PID,comm" is not allowed'],
      [["--nix"], "ps: error: unknown gnu long option"],
    ] as const)
      expect((await machine.engine[client](["top", name, ...args])).stderr).toContain(message);
    await must("kill", name);
    expect((await machine.engine[client](["top", name])).stderr).toContain("is not running");
  });

  test("ctrl-c reaches the program, not the client", async () => {
    await using it = await terminal(
      client,
      "run",
      "--rm",
      "-it",
      "busybox",
      "sh",
      "-c",
      "trap 'exit 9' INT; echo ready; while :; do sleep 0.1; done",
    );
    await it.see(/ready/);
    it.type("\x03");
    expect(await it.exitCode()).toBe(9);
  });

  test("exec -it is a second terminal in the same container", async () => {
    await must("run", "-d", "--name", name, "busybox", "sleep", "600");
    await using shell = await terminal(client, "exec", "-it", name, "sh");
    await shell.see(/# /);
    shell.type("cat /proc/1/cmdline | tr '\\0' ' '\r");
    await shell.see(/sleep 600/);
    shell.type("exit 4\r");
    expect(await shell.exitCode()).toBe(4);
    await must("rm", "-f", name);
  });

  test("stop asks with SIGTERM first", async () => {
    const script = "trap 'echo asked; exit 5' TERM; echo ready; while :; do sleep 0.1; done";
    await must("run", "-d", "--name", name, "busybox", "sh", "-c", script);
    await waitFor("the trap", async () => (await must("logs", name)) === "ready");
    expect(await must("stop", name)).toBe(name);
    expect(await state("ExitCode")).toBe("5");
    expect(await must("logs", name)).toBe("ready\nasked");
  });

  test("stop kills what does not listen, and start runs it again", async () => {
    const script = "trap '' TERM; echo ready; while :; do sleep 0.1; done";
    await must("run", "-d", "--name", name, "busybox", "sh", "-c", script);
    await waitFor("the trap", async () => (await must("logs", name)) === "ready");
    await must("stop", "-t", "1", name);
    expect(await state("ExitCode")).toBe("137");
    expect(await must("start", name)).toBe(name);
    expect(await state("Running")).toBe("true");
  });

  test("kill, wait, restart and rm -f", async () => {
    const { engine } = machine;
    const script = "trap 'exit 6' USR1; echo ready; while :; do sleep 0.1; done";
    await must("run", "-d", "--name", name, "busybox", "sh", "-c", script);
    const waiting = engine[client](["wait", name]);
    const pid = await state("Pid");
    await must("restart", "-t", "0", name);
    expect((await waiting).stdout).toBe("137\n");
    expect(await state("Pid")).not.toBe(pid);
    await waitFor("both traps", async () => (await must("logs", name)) === "ready\nready");
    expect(await must("kill", "-s", "USR1", name)).toBe(name);
    await waitFor("the end", async () => (await state("Running")) === "false");
    expect(await state("ExitCode")).toBe("6");
    await must("start", name);
    const refused = await engine[client](["rm", name]);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain("container is running");
    expect(await must("rm", "-f", name)).toBe(name);
  });

  test("standard input is passed on, and its end too", async () => {
    const counted = await machine.engine[client](["run", "--rm", "-i", "busybox", "wc", "-c"], {
      input: "x".repeat(100_000),
    });
    expect(counted).toMatchObject({ exitCode: 0, stdout: "100000\n" });
  });

  test("both outputs arrive where they belong", async () => {
    const result = await machine.engine[client]([
      "run",
      "--rm",
      "busybox",
      "sh",
      "-c",
      "echo out; echo err >&2; exit 42",
    ]);
    expect(result).toEqual({ exitCode: 42, stdout: "out\n", stderr: "err\n" });
  });

  test("logs -f follows to the end", async () => {
    await must(
      "run",
      "-d",
      "--name",
      name,
      "busybox",
      "sh",
      "-c",
      "for i in 1 2 3 4 5; do echo line $i; sleep 0.05; done",
    );
    expect(await must("logs", "-f", name)).toBe("line 1\nline 2\nline 3\nline 4\nline 5");
    expect(await must("logs", "--tail", "2", name)).toBe("line 4\nline 5");
    expect(await must("logs", "-t", "--tail", "1", name)).toMatch(/^\d{4}-\d\d-\d\dT[\d:]+\.\d{9}Z line 5$/);
    await must("rm", name);
  });

  test("tag, images and rmi", async () => {
    const tag = `everyday/${client}:v1`;
    await must("tag", "busybox", tag);
    expect(await must("images", "--format", "{{.Repository}}:{{.Tag}}")).toContain(tag);
    expect(await must("rmi", tag)).toBe(`Untagged: ${tag}`);
    expect(await must("images", "--format", "{{.Repository}}:{{.Tag}}")).not.toContain(tag);
  });

  test("version and info tell of client and server", async () => {
    const version = await must("version");
    expect(version).toMatch(/^Client:/m);
    expect(version).toMatch(/^Server:/m);
    expect(await must("info")).toMatch(/Storage Driver: overlay2?/);
  });

  test("events tell what happened", async () => {
    const since = Math.floor(Date.now() / 1000) - 1;
    const once = `once-${client}`;
    await must("run", "--rm", "--name", once, "busybox", "true");
    const until = String(Math.floor(Date.now() / 1000) + 1);
    const format = "{{.Type}} {{.Action}}";
    const seen = await must(
      "events",
      "--since",
      String(since),
      "--until",
      until,
      "--filter",
      `container=${once}`,
      "--format",
      format,
    );
    const actions = seen
      .split("\n")
      .filter((line) => line.startsWith("container"))
      .map((line) => line.slice(10));
    expect(actions).toEqual(["create", "attach", "start", "die", "destroy"]);
  });
});

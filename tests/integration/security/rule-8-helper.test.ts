import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TestRuntime } from "../../fixtures/bundle.ts";
import { type Client, clients } from "../../fixtures/engine.ts";
import { HostProcess } from "../../fixtures/host-process.ts";
import { useMachine } from "../../fixtures/machine.ts";
import { gantryPath } from "../../fixtures/places.ts";
import { waitFor } from "../../fixtures/wait-for.ts";
import { loadHostile, program } from "./hostile-image.ts";

/**
 * The attack of CVE-2019-5736: the image's program is a script whose interpreter is /proc/self/exe, which at that moment is
 * the helper. `dump-plan` makes it wait for its standard input, so that there is time to write to its file.
 */
const script = "#!/proc/self/exe dump-plan\n";

/** Every way of changing the file behind /proc/$1/exe, also once nobody executes it any more. */
const attack = `
  exec 5< /proc/$1/exe
  sha256sum < /proc/$1/exe
  echo x > /proc/$1/exe && echo WRITTEN
  echo x >> /proc/$1/exe && echo APPENDED
  chmod 0 /proc/$1/exe && echo CHMODDED
  truncate -s 0 /proc/$1/exe && echo TRUNCATED
  mv /bin/true /proc/$1/exe && echo REPLACED
  kill -9 $1
  while [ -r /proc/$1/status ] && ! grep -q '^State:.Z' /proc/$1/status; do :; done
  echo x > /proc/self/fd/5 && echo WRITTEN LATER
  echo x >> /proc/self/fd/5 && echo APPENDED LATER
  chmod 0 /proc/self/fd/5 && echo CHMODDED LATER
  sha256sum < /proc/self/fd/5
`;

const machine = useMachine("rule-8", ["busybox"]);
beforeAll(() => loadHostile(machine.engine, "evil", [program("evil", script), program("attack", attack)]));

/** What the engine executes as its shims. */
function helperDigest(container: { pid: number }): string {
  const shim = new HostProcess(container.pid).parent;
  return createHash("sha256")
    .update(readFileSync(`/proc/${shim.pid}/exe`))
    .digest("hex");
}

/** A client whose container's program waits for input. */
function waiting(client: Client, ...args: string[]): Bun.Subprocess<"pipe", "ignore", "ignore"> {
  const [program, env] =
    client === "gantry"
      ? [gantryPath, { GANTRY_HOST: machine.engine.host }]
      : ["docker", { DOCKER_HOST: machine.engine.host, DOCKER_CONFIG: "/nonexistent" }];
  return Bun.spawn([program, ...args], {
    stdin: "pipe",
    stdout: "ignore",
    stderr: "ignore",
    env: { ...process.env, ...env },
  });
}

const pidOf = async (name: string): Promise<number> =>
  (await machine.engine.json("GET", `/containers/${name}/json`)).State.Pid;

async function expectContainersToStart(): Promise<void> {
  expect((await machine.engine.gantry(["run", "--rm", "busybox", "echo", "fine"])).stdout).toBe("fine\n");
}

describe.each(clients)("CVE-2019-5736, with %s", (client) => {
  test("exec of #!/proc/self/exe: the helper's file cannot be changed from inside", async () => {
    const { engine } = machine;
    const name = `exec-${client}`;
    await engine.must(client, "run", "-d", "--name", name, "evil", "sleep", "1000");
    const digest = helperDigest({ pid: await pidOf(name) });
    const exec = waiting(client, "exec", "-i", name, "/evil");
    const find = "grep -l 'dump-pla[n]' /proc/[0-9]*/cmdline | cut -d/ -f3";
    const pid = await waitFor("the helper inside of the container", async () => {
      const found = (await engine[client](["exec", name, "sh", "-c", find])).stdout.trim().split("\n");
      return found.find((text) => /^\d+$/.test(text));
    });
    const { stdout } = await engine[client](["exec", name, "sh", "/attack", pid]);
    expect(stdout).toBe(`${digest}  -\n${digest}  -\n`); // it was the helper, it still is, and nothing else was said
    await exec.exited;
    await expectContainersToStart();
  });

  test("start of #!/proc/self/exe: likewise", async () => {
    const { engine } = machine;
    const name = `start-${client}`;
    const run = waiting(client, "run", "-i", "--name", name, "evil", "/evil");
    const pid = await waitFor("the start", async () => (await pidOf(name).catch(() => 0)) || undefined);
    const digest = helperDigest({ pid });
    // Process 1 is the helper, and cannot be killed from inside: only what comes before that.
    const part = attack.slice(0, attack.indexOf("  kill -9")).replaceAll("$1", "1");
    const { stdout } = await engine[client](["exec", name, "sh", "-c", part]);
    expect(stdout).toBe(`${digest}  -\n`);
    run.stdin.end();
    await run.exited;
    await expectContainersToStart();
  });

  test("the init program of --init cannot be changed either", async () => {
    const changes = ["/proc/1/exe", "/sbin/docker-init"].flatMap((file) => [
      `echo x > ${file} && echo WRITTEN`,
      `chmod 0 ${file} && echo CHMODDED`,
      `rm -f ${file} && echo REMOVED`,
      `mv /bin/true ${file} && echo REPLACED`,
    ]);
    const { stdout } = await machine.engine[client]([
      ...["run", "--rm", "--init", "busybox", "sh", "-c", `readlink /proc/1/exe; ${changes.join("; ")}`],
    ]);
    expect(stdout).toBe("/sbin/docker-init\n");
    expect((await machine.engine[client](["run", "--rm", "--init", "busybox", "echo", "fine"])).stdout).toBe(
      "fine\n",
    );
  });
});

describe("CVE-2019-5736, through gantry runtime", () => {
  let runtime: TestRuntime;
  beforeAll(async () => {
    runtime = await TestRuntime.open();
    writeFileSync(join(runtime.rootfs, "evil"), script, { mode: 0o755 });
    writeFileSync(join(runtime.rootfs, "attack"), attack);
  });
  afterAll(() => runtime[Symbol.asyncDispose]());

  test("exec of #!/proc/self/exe: the helper's file cannot be changed from inside", async () => {
    await runtime.must("run", "--detach", "--bundle", runtime.bundle(["sleep", "1000"]), "box");
    const words = [...runtime.argv, "--root", runtime.root, "exec", "box", "/evil"];
    const exec = Bun.spawn(words, { stdin: "pipe", stdout: "ignore", stderr: "ignore" });
    const find = "grep -l 'dump-pla[n]' /proc/[0-9]*/cmdline | cut -d/ -f3";
    const pid = await waitFor("the helper inside of the container", async () => {
      const found = (await runtime.run(["exec", "box", "sh", "-c", find])).stdout.trim().split("\n");
      return found.find((text) => /^\d+$/.test(text));
    });
    const { stdout } = await runtime.run(["exec", "box", "sh", "/attack", pid]);
    expect(stdout).toMatch(/^([0-9a-f]{64}) {2}-\n\1 {2}-\n$/); // as it was, and nothing else was said
    await exec.exited;
    expect(await runtime.must("exec", "box", "echo", "fine")).toBe("fine\n");
    await runtime.must("delete", "--force", "box");
  });
});

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { clients } from "../../fixtures/engine.ts";
import { useMachine } from "../../fixtures/machine.ts";

const machine = useMachine("w10", ["busybox"]);

describe.each(clients)("W10 where data live, with %s", (client) => {
  let directory: string;
  const run = (...args: string[]) => machine.engine[client](["run", "--rm", ...args]);

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "gantry-test-bind-"));
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  test("without a mount, data are gone with the container", async () => {
    const { engine } = machine;
    const id = await engine.must(
      client,
      "run",
      "-d",
      "busybox",
      "sh",
      "-c",
      "echo kept > /message; sleep 600",
    );
    const data = JSON.parse(await engine.must(client, "inspect", "-f", "{{json .GraphDriver.Data}}", id));
    await engine.must(client, "rm", "-f", id);
    expect(existsSync(data.UpperDir)).toBe(false);
    expect((await run("busybox", "cat", "/message")).exitCode).toBe(1);
  });

  test("a bind mount shows the host's directory both ways", async () => {
    writeFileSync(join(directory, "from-host"), "hello inside\n");
    const seen = await run(
      "-v",
      `${directory}:/data`,
      "busybox",
      "sh",
      "-c",
      "cat /data/from-host; echo hello outside > /data/back",
    );
    expect(seen).toMatchObject({ exitCode: 0, stdout: "hello inside\n" });
    expect(readFileSync(join(directory, "back"), "utf8")).toBe("hello outside\n");
  });

  test("a read-only one shows it, and refuses to write", async () => {
    writeFileSync(join(directory, "from-host"), "hello inside\n");
    const refused = await run(
      "-v",
      `${directory}:/data:ro`,
      "busybox",
      "sh",
      "-c",
      "cat /data/from-host; echo no > /data/refused",
    );
    expect(refused.stdout).toBe("hello inside\n");
    expect(refused.stderr).toContain("Read-only file system");
    expect(existsSync(join(directory, "refused"))).toBe(false);
  });

  test("a single file can be mounted over one of the image", async () => {
    const file = join(directory, "single");
    writeFileSync(file, "replaced\n");
    expect((await run("-v", `${file}:/etc/os-release`, "busybox", "cat", "/etc/os-release")).stdout).toBe(
      "replaced\n",
    );
  });

  test("tmpfs is memory: it has its options, and leaves nothing", async () => {
    const seen = await run(
      "--tmpfs",
      "/scratch:size=1m,mode=700",
      "busybox",
      "sh",
      "-c",
      "grep ' /scratch ' /proc/mounts; stat -c %a /scratch; echo x > /scratch/f",
    );
    expect(seen.stdout).toMatch(/^tmpfs \/scratch tmpfs .*size=1024k.*\n700\n$/);
    const full = await run(
      "--tmpfs",
      "/scratch:size=64k",
      "busybox",
      "dd",
      "if=/dev/zero",
      "of=/scratch/f",
      "bs=64k",
      "count=2",
    );
    expect(full.stderr).toContain("No space left on device");
  });

  test("a read-only root can only be written where something is mounted", async () => {
    const script = "touch /root-file; touch /data/ok && touch /tmp/ok && echo mounted ones work";
    const seen = await run(
      "--read-only",
      "--tmpfs",
      "/tmp",
      "-v",
      `${directory}:/data`,
      "busybox",
      "sh",
      "-c",
      script,
    );
    expect(seen.stderr).toContain("Read-only file system");
    expect(seen.stdout).toBe("mounted ones work\n");
  });
});

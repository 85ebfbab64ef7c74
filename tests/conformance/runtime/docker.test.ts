import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { busyboxArchiveFile } from "../../fixtures/images.ts";
import { Peer, peerMissing } from "./peer.ts";

const reason = peerMissing("dockerd", "containerd", "/usr/bin/docker");

describe.skipIf(reason !== undefined)(`dockerd --add-runtime gantry${reason ? ` (${reason})` : ""}`, () => {
  let peer: Peer;
  beforeAll(async () => {
    peer = new Peer("dockerd");
    await peer.start(
      [
        ...["dockerd", "--data-root", peer.path("data"), "--exec-root", peer.path("exec")],
        ...["--host", `unix://${peer.path("d.sock")}`, "--pidfile", peer.path("pid"), "--bridge=none"],
        ...["--iptables=false", "--ip-forward=false", "--ip-masq=false", "--storage-driver", "vfs"],
        ...["--add-runtime", `gantry=${peer.runtime}`],
      ],
      peer.path("d.sock"),
    );
    expect((await docker("load", "--input", await busyboxArchiveFile())).exitCode).toBe(0);
  }, 60_000);
  afterAll(async () => {
    await docker("rm", "--force", "box");
    await peer[Symbol.asyncDispose]();
  }, 60_000);

  const docker = (...words: string[]) =>
    peer.run(["/usr/bin/docker", "--host", `unix://${peer.path("d.sock")}`, ...words]);
  const run = (...words: string[]) => docker("run", "--runtime", "gantry", "--network", "none", ...words);

  test("run gives output and exit code", async () => {
    const result = await run("--rm", "busybox", "sh", "-c", "echo out; echo err >&2; exit 4");
    expect(result).toMatchObject({ exitCode: 4, stdout: "out\n", stderr: "err\n" });
  });

  test("a missing program is 127", async () => {
    const result = await run("--rm", "busybox", "nix");
    expect(result.exitCode).toBe(127);
    expect(result.stderr).toContain('exec: "nix": executable file not found in $PATH');
  });

  test("memory that runs out is 137, told as OOMKilled", async () => {
    const result = await run(
      "--name",
      "box",
      "-m",
      "8m",
      "busybox",
      "sh",
      "-c",
      "x=a; while :; do x=$x$x; done",
    );
    expect(result.exitCode).toBe(137);
    await docker("rm", "box");
  });

  test("a container is exec'd into, paused, updated, listed, stopped, started again and removed", async () => {
    expect((await run("--name", "box", "-d", "busybox", "sleep", "1000")).exitCode).toBe(0);
    expect(await docker("exec", "box", "sh", "-c", "echo in; exit 3")).toMatchObject({
      exitCode: 3,
      stdout: "in\n",
    });
    expect((await docker("pause", "box")).exitCode).toBe(0);
    expect((await docker("inspect", "--format", "{{.State.Status}}", "box")).stdout).toBe("paused\n");
    expect((await docker("unpause", "box")).exitCode).toBe(0);
    expect((await docker("update", "--memory", "64m", "--memory-swap", "64m", "box")).exitCode).toBe(0);
    expect((await docker("exec", "box", "cat", "/sys/fs/cgroup/memory/memory.limit_in_bytes")).stdout).toBe(
      `${64 << 20}\n`,
    );
    expect((await docker("top", "box")).stdout).toContain("sleep 1000");
    expect((await docker("restart", "--time", "1", "box")).exitCode).toBe(0);
    expect((await docker("rm", "--force", "box")).exitCode).toBe(0);
  });

  test("processes that share the host's pids end with the container", async () => {
    const result = await run("--rm", "--pid", "host", "busybox", "sh", "-c", "sleep 4321 & echo $!");
    expect(result.exitCode).toBe(0);
    expect((await peer.run(["ps", "-p", result.stdout.trim(), "-o", "args="])).stdout).toBe("");
  });
});

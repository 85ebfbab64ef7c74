import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { busyboxArchiveFile } from "../../fixtures/images.ts";
import { Peer, peerMissing, smallLimits } from "./peer.ts";

const reason = peerMissing("podman", "conmon");

describe.skipIf(reason !== undefined)(
  `podman --runtime gantry-runtime${reason ? ` (${reason})` : ""}`,
  () => {
    let peer: Peer;
    beforeAll(async () => {
      peer = new Peer("podman");
      expect((await podman("load", "--input", await busyboxArchiveFile())).exitCode).toBe(0);
    });
    afterAll(async () => {
      await podman("rm", "--all", "--force");
      await peer[Symbol.asyncDispose]();
    });

    const podman = (...words: string[]) => {
      const own = ["--root", peer.path("root"), "--runroot", peer.path("run"), "--tmpdir", peer.path("tmp")];
      const kind = ["--storage-driver", "vfs", "--cgroup-manager", "cgroupfs", "--events-backend", "file"];
      return peer.run(["podman", ...own, ...kind, "--runtime", peer.runtime, ...words]);
    };
    const run = (...words: string[]) => podman("run", "--network", "none", ...smallLimits, ...words);

    test("run gives output and exit code", async () => {
      const result = await run("--rm", "busybox", "sh", "-c", "echo out; echo err >&2; exit 5");
      expect(result).toMatchObject({ exitCode: 5, stdout: "out\n", stderr: "err\n" });
    });

    test("a missing program is 127", async () => {
      const result = await run("--rm", "busybox", "nix");
      expect(result.exitCode).toBe(127);
      expect(result.stderr).toContain("executable file not found in $PATH");
    });

    test("create, init, start, exec, pause, stop and rm", async () => {
      expect(
        (
          await podman(
            "create",
            "--network",
            "none",
            ...smallLimits,
            "--name",
            "box",
            "busybox",
            "sleep",
            "1000",
          )
        ).exitCode,
      ).toBe(0);
      expect((await podman("init", "box")).exitCode).toBe(0);
      expect((await podman("start", "box")).exitCode).toBe(0);
      expect(await podman("exec", "box", "sh", "-c", "id -u; exit 3")).toMatchObject({
        exitCode: 3,
        stdout: "0\n",
      });
      expect((await podman("pause", "box")).exitCode).toBe(0);
      expect((await podman("inspect", "--format", "{{.State.Status}}", "box")).stdout).toBe("paused\n");
      expect((await podman("unpause", "box")).exitCode).toBe(0);
      expect((await podman("kill", "box")).exitCode).toBe(0);
      expect((await podman("wait", "box")).stdout).toBe("137\n");
      expect((await podman("rm", "box")).exitCode).toBe(0);
    });

    test("a terminal", async () => {
      expect(await run("--rm", "-t", "busybox", "sh", "-c", "test -t 1 && tty")).toMatchObject({
        exitCode: 0,
        stdout: "/dev/pts/0\r\n",
      });
    });
  },
);

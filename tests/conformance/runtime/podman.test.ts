import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { busyboxArchiveFile } from "../../fixtures/images.ts";
import { overwriteRuntime, Peer, peerMissing, smallLimits } from "./peer.ts";

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

    const argvOf = (...words: string[]) => {
      const own = ["--root", peer.path("root"), "--runroot", peer.path("run"), "--tmpdir", peer.path("tmp")];
      const kind = ["--storage-driver", "vfs", "--cgroup-manager", "cgroupfs", "--events-backend", "file"];
      return ["podman", ...own, ...kind, "--runtime", peer.runtime, ...words];
    };
    const podman = (...words: string[]) => peer.run(argvOf(...words));
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

    test("rule 8: a container cannot overwrite the runtime that enters it", async () => {
      writeFileSync(peer.path("evil"), overwriteRuntime.evil, { mode: 0o755 });
      writeFileSync(peer.path("attack"), overwriteRuntime.attack);
      const volumes = ["evil", "attack"].flatMap((name) => ["--volume", `${peer.path(name)}:/${name}:ro`]);
      expect((await run("-d", "--name", "victim", ...volumes, "busybox", "sleep", "1000")).exitCode).toBe(0);
      const evil = peer.hold(argvOf("exec", "--interactive", "victim", "/evil"));
      expect((await podman("exec", "victim", "sh", "/attack")).stdout).toMatch(overwriteRuntime.inVain);
      await evil.exited;
      expect((await podman("exec", "victim", "echo", "fine")).stdout).toBe("fine\n");
      await podman("rm", "--force", "--time", "0", "victim");
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

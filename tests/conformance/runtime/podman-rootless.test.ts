import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, chownSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import type { CommandResult } from "../../fixtures/command.ts";
import { busyboxArchiveFile } from "../../fixtures/images.ts";
import { Peer, peerMissing, smallLimits } from "./peer.ts";

const id = 65532;
const reason = peerMissing("podman", "conmon", "setpriv", "unshare", "newuidmap");

/**
 * podman runs the runtime as root of a user namespace. Its user is known to each command by files that are bound over
 * /etc in a mount namespace of its own.
 */
describe.skipIf(reason !== undefined)(
  `rootless podman --runtime gantry-runtime${reason ? ` (${reason})` : ""}`,
  () => {
    let peer: Peer;
    beforeAll(async () => {
      peer = new Peer("podman-rootless");
      for (const directory of [peer.directory, peer.path("home"), peer.path("run")]) {
        mkdirSync(directory, { recursive: true });
        chmodSync(directory, 0o755);
        chownSync(directory, id, id);
      }
      copyFileSync(await busyboxArchiveFile(), peer.path("home/busybox.tar"));
      const passwd = readFileSync("/etc/passwd", "utf8");
      writeFileSync(peer.path("passwd"), `${passwd}rootless:x:${id}:${id}::${peer.path("home")}:/bin/sh\n`);
      for (const file of ["subuid", "subgid"]) writeFileSync(peer.path(file), "rootless:700000:65536\n");
      expect(await podman("load", "--input", peer.path("home/busybox.tar"))).toMatchObject({ exitCode: 0 });
    });
    afterAll(async () => {
      await podman("rm", "--all", "--force", "--time", "0");
      // podman leaves a process behind, which holds the user namespace.
      const pause = readFileSync(peer.path("run/libpod/tmp/pause.pid"), "utf8");
      process.kill(Number(pause), "SIGKILL");
      await peer[Symbol.asyncDispose]();
    });

    function podman(...words: string[]): Promise<CommandResult> {
      const binds = ["passwd", "subuid", "subgid"].map(
        (file) => `mount --bind ${peer.path(file)} /etc/${file}`,
      );
      const variables = [`HOME=${peer.path("home")}`, `XDG_RUNTIME_DIR=${peer.path("run")}`];
      const become = ["setpriv", "--reuid", id, "--regid", id, "--clear-groups"].join(" ");
      const script = `${binds.join(" && ")} && cd / && exec ${become} env --unset USER ${variables.join(" ")} "$0" "$@"`;
      const own = ["--storage-driver", "vfs", "--cgroup-manager", "cgroupfs", "--events-backend", "file"];
      const separate = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script];
      return peer.run([...separate, "podman", ...own, "--runtime", peer.runtime, ...words]);
    }

    test("run, exec with the user's own id and the subordinate ones, stop, start again and rm", async () => {
      const create = ["run", "--detach", "--name", "box", "--network", "none", ...smallLimits];
      expect((await podman(...create, "busybox", "sleep", "1000")).exitCode).toBe(0);
      const script = "cat /proc/self/uid_map; touch /own; chown 5:5 /own; stat -c %u:%g /own; exit 3";
      const { exitCode, stdout } = await podman("exec", "box", "sh", "-c", script);
      const lines = stdout.split("\n").map((line) => line.trim().replace(/\s+/g, " "));
      expect({ exitCode, lines }).toEqual({
        exitCode: 3,
        lines: [`0 ${id} 1`, "1 700000 65536", "5:5", ""],
      });
      expect((await podman("stop", "--time", "0", "box")).exitCode).toBe(0);
      expect((await podman("start", "box")).exitCode).toBe(0);
      expect((await podman("rm", "--force", "--time", "0", "box")).exitCode).toBe(0);
    });
  },
);

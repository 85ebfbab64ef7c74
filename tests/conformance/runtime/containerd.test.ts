import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { busyboxArchiveFile } from "../../fixtures/images.ts";
import { overwriteRuntime, Peer, peerMissing } from "./peer.ts";

const reason = peerMissing("containerd", "ctr", "containerd-shim-runc-v2");

describe.skipIf(reason !== undefined)(
  `ctr run --runc-binary gantry-runtime${reason ? ` (${reason})` : ""}`,
  () => {
    let peer: Peer;
    let image: string;
    beforeAll(async () => {
      peer = new Peer("containerd");
      writeFileSync(
        peer.path("config.toml"),
        [
          "version = 2",
          `root = "${peer.path("root")}"`,
          `state = "${peer.path("state")}"`,
          'disabled_plugins = ["io.containerd.grpc.v1.cri"]',
          `[grpc]\n  address = "${peer.path("c.sock")}"`,
        ].join("\n"),
      );
      await peer.start(["containerd", "--config", peer.path("config.toml")], peer.path("c.sock"));
      const imported = await ctr("images", "import", await busyboxArchiveFile());
      expect(imported.exitCode).toBe(0);
      image = (await ctr("images", "ls", "-q")).stdout.split("\n")[0] ?? "";
    });
    afterAll(async () => {
      await ctr("task", "kill", "--signal", "KILL", "box");
      await ctr("task", "rm", "--force", "box");
      await ctr("container", "rm", "box");
      await peer[Symbol.asyncDispose]();
    });

    const argvOf = (...words: string[]) => ["ctr", "--address", peer.path("c.sock"), ...words];
    const ctr = (...words: string[]) => peer.run(argvOf(...words));
    const run = (...words: string[]) =>
      ctr("run", "--runc-binary", peer.runtime, "--snapshotter", "native", ...words);

    test("run gives output and exit code", async () => {
      const result = await run("--rm", image, "one", "sh", "-c", "echo out; exit 4");
      expect(result).toMatchObject({ exitCode: 4, stdout: "out\n" });
    });

    test("a missing program is told in the runtime's words", async () => {
      const result = await run("--rm", image, "two", "nix");
      expect(result.stderr).toContain(
        "OCI runtime create failed: gantry-runtime create failed: unable to start",
      );
      expect(result.stderr).toContain('exec: "nix": executable file not found in $PATH');
    });

    test("rule 8: a container cannot overwrite the runtime that enters it", async () => {
      writeFileSync(peer.path("evil"), overwriteRuntime.evil, { mode: 0o755 });
      writeFileSync(peer.path("attack"), overwriteRuntime.attack);
      const mounts = ["evil", "attack"].flatMap((name) => [
        ...["--mount", `type=bind,src=${peer.path(name)},dst=/${name},options=rbind:ro`],
      ]);
      expect((await run("--detach", ...mounts, image, "box", "sleep", "1000")).exitCode).toBe(0);
      const exec = (id: string, ...words: string[]) => ["task", "exec", "--exec-id", id, "box", ...words];
      const evil = peer.hold(argvOf(...exec("evil", "/evil")));
      expect((await ctr(...exec("attack", "sh", "/attack"))).stdout).toMatch(overwriteRuntime.inVain);
      await evil.exited;
      expect((await ctr(...exec("fine", "echo", "fine"))).stdout).toBe("fine\n");
      await ctr("task", "rm", "--force", "box");
      await ctr("container", "rm", "box");
    });

    test("a task is exec'd into, paused, resumed and killed", async () => {
      expect((await run("--detach", image, "box", "sleep", "1000")).exitCode).toBe(0);
      expect(await ctr("task", "exec", "--exec-id", "e", "box", "sh", "-c", "echo in; exit 3")).toMatchObject(
        {
          exitCode: 3,
          stdout: "in\n",
        },
      );
      expect((await ctr("task", "pause", "box")).exitCode).toBe(0);
      expect((await ctr("task", "ls")).stdout).toMatch(/box +\d+ +PAUSED/);
      expect((await ctr("task", "resume", "box")).exitCode).toBe(0);
      expect((await ctr("task", "ps", "box")).stdout).toMatch(/^PID/);
      expect((await ctr("task", "kill", "--signal", "KILL", "box")).exitCode).toBe(0);
      await ctr("task", "wait", "box");
      await ctr("task", "rm", "box");
      expect((await ctr("container", "rm", "box")).exitCode).toBe(0);
      expect((await ctr("task", "ls", "-q")).stdout).toBe("");
    });
  },
);

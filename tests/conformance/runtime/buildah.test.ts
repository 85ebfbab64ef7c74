import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { busyboxArchiveFile } from "../../fixtures/images.ts";
import { Peer, peerMissing, smallLimits } from "./peer.ts";

const reason = peerMissing("buildah");

describe.skipIf(reason !== undefined)(
  `buildah run --runtime gantry-runtime${reason ? ` (${reason})` : ""}`,
  () => {
    let peer: Peer;
    let container: string;
    beforeAll(async () => {
      peer = new Peer("buildah");
      const made = await buildah("from", ...smallLimits, `docker-archive:${await busyboxArchiveFile()}`);
      expect(made.exitCode).toBe(0);
      container = made.stdout.trim();
    });
    afterAll(async () => {
      await buildah("rm", "--all");
      await peer[Symbol.asyncDispose]();
    });

    const buildah = (...words: string[]) => {
      const own = ["--root", peer.path("root"), "--runroot", peer.path("run"), "--storage-driver", "vfs"];
      return peer.run(["buildah", ...own, ...words]);
    };
    const run = (...words: string[]) =>
      buildah(
        "run",
        "--runtime",
        peer.runtime,
        "--isolation",
        "oci",
        "--network",
        "none",
        container,
        "--",
        ...words,
      );

    test("gives output and exit code, and keeps what was written", async () => {
      expect(await run("sh", "-c", "echo out; echo kept > /file; exit 3")).toMatchObject({
        exitCode: 3,
        stdout: "out\n",
      });
      expect(await run("cat", "/file")).toMatchObject({ exitCode: 0, stdout: "kept\n" });
    });
  },
);

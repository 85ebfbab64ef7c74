import { describe, expect, test } from "bun:test";
import { release } from "node:os";
import { clients } from "../../fixtures/engine.ts";
import { useMachine } from "../../fixtures/machine.ts";

const machine = useMachine("w13", ["busybox"]);

describe.each(clients)("W13 another distribution, with %s", (client) => {
  test("an image that is not here is looked for, pulled, and run on the host's kernel", async () => {
    const { engine, registry } = machine;
    const image = `${registry.host}/debian:bookworm`;
    const first = await engine[client](["run", "--rm", image, "sh", "-c", "cat /etc/os-release; uname -r"]);
    expect(first.exitCode).toBe(0);
    const lines = first.stderr.split("\n");
    expect(lines[0]).toBe(`Unable to find image '${image}' locally`);
    expect(lines[1]).toBe("bookworm: Pulling from debian");
    expect(first.stderr).toMatch(/^[0-9a-f]{12}: Pull complete$/m);
    expect(first.stderr).toMatch(/^Digest: sha256:[0-9a-f]{64}$/m);
    expect(first.stderr).toContain(`Status: Downloaded newer image for ${image}`);
    expect(first.stdout).toContain("ID=debian");
    expect(first.stdout).toEndWith(`\n${release()}\n`);

    const second = await engine[client](["run", "--rm", image, "true"]);
    expect(second).toEqual({ exitCode: 0, stdout: "", stderr: "" });
    await engine.must(client, "rmi", image);
  });

  test("pull says that nothing changed", async () => {
    const { engine, registry } = machine;
    const image = `${registry.host}/busybox:latest`;
    expect(await engine.must(client, "pull", image)).toContain(`Status: Image is up to date for ${image}`);
  });
});

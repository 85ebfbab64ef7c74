import { describe, expect, test } from "bun:test";
import { appendFileSync, closeSync, openSync, readdirSync, writeSync } from "node:fs";
import { join } from "node:path";
import { command, mustRun } from "../../fixtures/command.ts";
import { clients } from "../../fixtures/engine.ts";
import { useMachine } from "../../fixtures/machine.ts";
import { gantryPath } from "../../fixtures/places.ts";

interface Info {
  Driver: string;
  DriverStatus: [string, string][] | null;
}
interface Inspect {
  Driver: string;
  GraphDriver: { Name: string; Data: Record<string, string> | null };
}

const drivers: [driver: string, dataOfGraphDriver: string[]][] = [
  ["vfs", []],
  ["erofs", ["ID", "LowerDir", "MergedDir", "UpperDir", "WorkDir"]],
];

describe.each(drivers)("with --storage-driver %s", (driver, dataNames) => {
  const machine = useMachine(`driver-${driver}`, ["busybox"], { args: ["--storage-driver", driver] });

  test("info and inspect name it", async () => {
    const { engine } = machine;
    const info: Info = await engine.json("GET", "/info");
    expect(info.Driver).toBe(driver);
    expect(info.DriverStatus === null).toBe(driver === "vfs");
    const id = await engine.must("docker", "create", "busybox");
    const { Driver, GraphDriver }: Inspect = await engine.json("GET", `/containers/${id}/json`);
    expect([Driver, GraphDriver.Name]).toEqual([driver, driver]);
    expect(Object.keys(GraphDriver.Data ?? {}).sort()).toEqual(dataNames);
    await engine.must("docker", "rm", id);
  });

  test.each(clients)("run, diff, export and size, with %s", async (client) => {
    const { engine } = machine;
    const script = "echo own > /own && rm -f /etc/group && cat /etc/passwd";
    const name = `work-${client}`;
    const output = await engine.must(client, "run", "--name", name, "busybox", "sh", "-ec", script);
    expect(output).toContain("root:");
    expect(await engine.must(client, "diff", name)).toBe("C /etc\nD /etc/group\nA /own");
    const listing = await mustRun(["sh", "-c", `docker -H ${engine.host} export ${name} | tar -t`]);
    const members = listing.split("\n");
    expect(members).toContain("own");
    expect(members).toContain("bin/busybox");
    expect(members).not.toContain("etc/group");
    const sizes: { SizeRw: number } = await engine.json("GET", `/containers/${name}/json?size=1`);
    expect(sizes.SizeRw).toBe("own\n".length);
    expect(await engine.must(client, "start", "--attach", name)).toContain("root:");
    expect(await engine.must(client, "run", "--rm", "busybox", "ls", "/etc/group")).toBe("/etc/group");
    await engine.must(client, "rm", name);
  });

  test("a commit has what the container changed, and nothing else", async () => {
    const { engine } = machine;
    const script = "mkdir -p /own/deep && echo 1 > /own/deep/a && ln /own/deep/a /own/b && rm /etc/group";
    await engine.must("docker", "run", "--name", "source", "busybox", "sh", "-ec", script);
    await engine.must("docker", "commit", "source", "committed");
    const look = "cat /own/b; stat -c %h /own/deep/a; test -e /etc/group || echo gone; ls /etc/passwd";
    expect(await engine.must("docker", "run", "--rm", "committed", "sh", "-c", look)).toBe(
      "1\n2\ngone\n/etc/passwd",
    );
    const archive = join(engine.directory, "committed.tar");
    await engine.must("gantry", "save", "-o", archive, "committed");
    const manifest: { Layers: string[] }[] = JSON.parse(
      await mustRun(["tar", "-xOf", archive, "manifest.json"]),
    );
    const blob = manifest[0]?.Layers.at(-1) ?? "";
    const members = await mustRun(["sh", "-c", `tar -xOf ${archive} ${blob} | (gunzip || cat) | tar -t`]);
    expect(members.trim().split("\n")).toEqual([
      "etc/",
      "etc/.wh.group",
      "own/",
      "own/b",
      "own/deep/",
      "own/deep/a",
    ]);
    await engine.must("docker", "rm", "source");
    await engine.must("docker", "rmi", "committed");
  });

  test("containers outlive an engine that is killed", async () => {
    const { engine } = machine;
    await engine.must(
      "docker",
      "run",
      "-d",
      "--name",
      "live",
      "busybox",
      "sh",
      "-c",
      "echo 1 > /x; sleep 600",
    );
    await engine.must("docker", "run", "--name", "ended", "busybox", "sh", "-c", "echo 2 > /x");
    await engine.kill("SIGKILL");
    await engine.boot();
    expect(await engine.must("docker", "exec", "live", "cat", "/x")).toBe("1");
    expect(await engine.must("docker", "diff", "ended")).toBe("A /x");
    await engine.must("docker", "rm", "-f", "live", "ended");
  });

  test("an engine that is killed while containers are made leaves none of them half-made", async () => {
    const { engine } = machine;
    const creates = Array.from({ length: 6 }, () => engine.docker(["create", "busybox"]));
    await Promise.race(creates);
    await engine.kill("SIGKILL");
    await Promise.all(creates);
    await engine.boot();
    const containers: { Id: string }[] = await engine.json("GET", "/containers/json?all=1");
    const roots = readdirSync(join(engine.root, "snapshots/containers"));
    expect(roots.sort()).toEqual(containers.map(({ Id }) => Id).sort());
    expect(readdirSync(join(engine.root, "snapshots/drafts"))).toEqual([]);
    await engine.removeContainers();
  });

  test("another driver is refused on the same root, by both names", async () => {
    const { engine } = machine;
    await engine.kill("SIGTERM");
    const args = ["--root", engine.root, "--state", engine.state, "--storage-driver", "overlay2"];
    const { exitCode, stderr } = await command([gantryPath, "engine", ...args]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(
      `--storage-driver overlay2: the layers and containers of this root are made with ${driver}`,
    );
    await engine.boot();
    expect(await engine.must("gantry", "run", "--rm", "busybox", "echo", "again")).toBe("again");
  });

  test("fsck finds nothing wrong, and a changed file", async () => {
    const { engine } = machine;
    await engine.must("gantry", "fsck", "--deep");
    const [layer = ""] = readdirSync(join(engine.root, "snapshots/layers"));
    const place = join(engine.root, "snapshots/layers", layer);
    if (driver === "erofs") damageSuperblock(join(place, "layer.erofs"));
    else appendFileSync(join(place, "diff/etc/passwd"), "changed");
    const { exitCode, stdout } = await engine.gantry(["fsck", "--deep"]);
    expect(exitCode).toBe(1);
    expect(stdout).toContain("has other files than its blob");
  });

  test("removing the image leaves nothing of it", async () => {
    const { engine } = machine;
    const images: { Id: string }[] = await engine.json("GET", "/images/json");
    for (const { Id } of images) {
      await engine.must("docker", "rmi", "-f", Id);
    }
    expect(readdirSync(join(engine.root, "snapshots/layers"))).toEqual([]);
  });
});

/** What is mounted of it is read already. */
function damageSuperblock(image: string): void {
  const fd = openSync(image, "r+");
  writeSync(fd, Buffer.alloc(16), 0, 16, 1024);
  closeSync(fd);
}

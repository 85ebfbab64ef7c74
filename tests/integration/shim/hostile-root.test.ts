import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { KernelOperation } from "../../../src/kernel/steps.ts";
import { missing, setup, start, TestBox } from "./test-box.ts";

const reason = missing();
const bind = (
  source: string,
  target: string,
  targetKind: "file" | "directory" = "directory",
): KernelOperation => ({
  op: "bind",
  source,
  target,
  targetKind,
  recursive: true,
  attributes: { set: 0, clear: 0 },
  attributesRecursive: false,
  propagation: 0,
});

describe.skipIf(reason !== undefined)(
  `a hostile root file system${reason ? ` (skipped: ${reason})` : ""}`,
  () => {
    let box: TestBox;
    let outside: string;
    beforeAll(() => {
      box = new TestBox();
      outside = mkdtempSync(join(tmpdir(), "gantry-shim-outside-"));
    });
    afterAll(async () => {
      rmSync(outside, { recursive: true, force: true });
      await box[Symbol.asyncDispose]();
    });

    /** Replaces a directory of the root by a link while `use` runs. */
    async function withLink(name: string, to: string, use: () => Promise<void>): Promise<void> {
      const path = join(box.root, name);
      renameSync(path, `${path}.real`);
      symlinkSync(to, path);
      try {
        await use();
      } finally {
        rmSync(path);
        renameSync(`${path}.real`, path);
      }
    }

    test("a link at /dev leads nowhere outside (CVE-2018-15664)", async () => {
      await withLink("dev", outside, async () => {
        const { exitCode, stdout } = await box.run({ args: ["ls", outside] });
        expect({ exitCode, inside: stdout.split("\n") }).toMatchObject({ exitCode: 0 });
        expect(stdout).toContain("null\n"); // it was made inside the root, below the same name
      });
      expect(readdirSync(outside)).toEqual([]);
    });

    test("a link with .. at /dev stays inside", async () => {
      await withLink("dev", `../../../../../..${outside}`, async () => {
        expect((await box.run({ args: ["true"] })).exitCode).toBe(0);
      });
      expect(readdirSync(outside)).toEqual([]);
    });

    test("a link at /proc is refused (CVE-2019-19921)", async () => {
      await withLink("proc", "/tmp", async () => {
        await expect(box.launch(box.request(box.plan({ args: ["true"] })))).rejects.toThrow(
          "mount proc on /proc: not an ordinary directory",
        );
      });
    });

    test("the target of a bind behind a link is made inside", async () => {
      symlinkSync(`${outside}/deep/er`, join(box.root, "data"));
      writeFileSync(join(box.directory, "content"), "from the host\n");
      const { stdout } = await box.run({
        args: ["cat", "/data/file"],
        setup: [setup(bind(join(box.directory, "content"), "/data/file", "file"))],
      });
      expect(stdout).toBe("from the host\n");
      expect(readdirSync(outside)).toEqual([]);
      expect(existsSync(join(box.root, outside, "deep/er/file"))).toBe(true);
      rmSync(join(box.root, "data"));
    });

    test("links in a circle are refused, not followed for ever", async () => {
      symlinkSync("/b", join(box.root, "a"));
      symlinkSync("/a", join(box.root, "b"));
      const request = box.request(box.plan({ args: ["true"], setup: [setup(bind("/etc", "/a/x"))] }));
      await expect(box.launch(request)).rejects.toThrow("too many levels of symbolic links");
      rmSync(join(box.root, "a"));
      rmSync(join(box.root, "b"));
    });

    test("a device is not made over another file", async () => {
      writeFileSync(join(box.root, "etc/fake"), "text");
      const node = setup({
        op: "make-device",
        path: "/etc/fake",
        kind: "c",
        major: 1,
        minor: 3,
        mode: 0o666,
        uid: 0,
        gid: 0,
      });
      const request = box.request(box.plan({ args: ["true"], setup: [node] }));
      await expect(box.launch(request)).rejects.toThrow("make device /etc/fake (c 1:3): file exists");
    });

    test("masked files are the null device and masked directories empty (CVE-2025-31133)", async () => {
      mkdirSync(join(box.root, "secret"), { recursive: true });
      writeFileSync(join(box.root, "secret/key"), "key");
      writeFileSync(join(box.root, "etc/shadow"), "hash");
      const { stdout } = await box.run({
        args: [
          "sh",
          "-c",
          "ls -A /secret; cat /etc/shadow; test -c /etc/shadow && echo device; echo x >/secret/new",
        ],
        setup: ["/secret", "/etc/shadow", "/no/such"].map((path) => setup({ op: "mask-path", path })),
      });
      expect(stdout).toBe("device\n");
      expect(existsSync(join(box.root, "secret/new"))).toBe(false);
    });

    test("after pivot_root, a false /dev/null masks nothing: it is refused", async () => {
      const plan = box.plan({ args: ["cat", "/etc/shadow"] });
      const steps = plan.steps
        .filter((step) => !(step.op === "make-device" && step.path === "/dev/null"))
        .flatMap((step) =>
          step.op === "pivot-root"
            ? [
                setup({ op: "symlink", path: "/dev/null", to: "/etc/shadow" }),
                step,
                setup({ op: "mask-path", path: "/etc/shadow" }),
              ]
            : [step],
        );
      await expect(box.launch(box.request({ steps }))).rejects.toThrow("mask /etc/shadow");
    });

    test("sysctls are written below a procfs of the helper's own (CVE-2025-52881)", async () => {
      const { stdout } = await box.run({
        args: ["cat", "/proc/sys/net/ipv4/ip_unprivileged_port_start"],
        setup: [
          // What the container has at /proc/sys does not matter.
          setup({ op: "mount", fstype: "tmpfs", source: "tmpfs", target: "/etc", attributes: 0, data: [] }),
          setup({ op: "set-sysctl", key: "net.ipv4.ip_unprivileged_port_start", value: "77" }),
          setup({ op: "set-sysctl", key: "net.no.such", value: "1", optional: true }),
        ],
      });
      expect(stdout).toBe("77\n");
    });

    test("a working directory outside of the root is refused (CVE-2024-21626)", async () => {
      const plan = box.plan({
        args: ["pwd"],
        start: [start({ op: "change-directory", path: "/proc/self/fd/3" })],
      });
      const shim = await box.launch(box.request(plan));
      await expect(shim.init.start()).rejects.toThrow("chdir to cwd");
    });

    test("the root is the end of the world", async () => {
      const { stdout } = await box.run({ args: ["sh", "-c", "cd ../../../..; ls; cat /proc/self/mounts"] });
      expect(stdout.split("\n").slice(0, 6)).toEqual(["bin", "dev", "etc", "proc", "secret", "sys"]);
      expect(stdout).not.toContain("/work");
    });

    test("the helper's program cannot be written to from inside (CVE-2019-5736)", async () => {
      const request = box.request(box.plan({ args: ["sleep", "1000"] }));
      const shim = await box.launch(request);
      const exe = `/proc/${shim.init.pid}/exe`; // still the helper: it waits for its start
      expect(() => writeFileSync(exe, "x")).toThrow();
      expect(lstatSync(exe).isSymbolicLink()).toBe(true);
      expect(readFileSync(exe).subarray(0, 4).toString("latin1")).toBe("\x7fELF");
      await shim.init.signal(9);
      await shim.init.exited;
    });
  },
);

import { expect, test } from "bun:test";
import { join } from "node:path";

/** In a process of its own: other threads of the run make and close descriptors of the same kinds. */
const program = (version: 1 | 2) => `
  import { readdirSync, readlinkSync } from "node:fs";
  import { openOomEvents } from ${JSON.stringify(join(import.meta.dirname, "oom-events.ts"))};
  const linkOf = (fd) => {
    try {
      return readlinkSync("/proc/self/fd/" + fd);
    } catch {
      return ""; // that of the listing
    }
  };
  const events = () => readdirSync("/proc/self/fd").filter((fd) => /eventfd|inotify/.test(linkOf(fd)));
  const rest = { swapAccounting: false, weightFile: undefined, cpusetCpus: "", cpusetMems: "" };
  const hierarchy = { mountPoint: "/nowhere", controllers: ["memory"] };
  const facts = ${version} === 2
    ? { version: 2, ...hierarchy, ...rest }
    : { version: 1, hierarchies: [hierarchy], unified: undefined, ...rest };
  const before = events();
  let message = "nothing was thrown";
  try {
    openOomEvents(facts, "/gone");
  } catch (error) {
    message = error.message;
  }
  const left = events().filter((fd) => !before.includes(fd));
  console.log(JSON.stringify({ message, left }));
`;

test.each([1, 2] as const)("a cgroup of version %p that is gone leaves no descriptor", (version) => {
  const { stdout, stderr } = Bun.spawnSync([process.execPath, "-e", program(version)]);
  expect(stderr.toString()).toBe("");
  expect(JSON.parse(stdout.toString())).toEqual({
    message: expect.stringContaining("/nowhere/gone"),
    left: [],
  });
});

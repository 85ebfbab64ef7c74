import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { invalidParameter, messageOf } from "../../errors/platform-error.ts";
import { moveLink } from "../../kernel/netlink/move-link.ts";
import { NETLINK_ROUTE, NetlinkSocket } from "../../kernel/netlink/netlink-socket.ts";
import { defineRuntimeCommand } from "./runtime-command.ts";

/** A step of plans with `linux.netDevices`: like a hook it gets the container's state, and says on standard error what failed. */
export const command = defineRuntimeCommand({
  usage: "DEVICE NAME",
  summary: "Move a network device into the container whose state is on standard input",
  flags: {},
  args: { min: 2, max: 2 },

  async execute(_, { args: [device = "", name = ""] }) {
    try {
      await moveInto(readPid(), device, name);
      return 0;
    } catch (error) {
      writeSync(2, messageOf(error));
      return 1;
    }
  },
});

function readPid(): number {
  const state: unknown = JSON.parse(readFileSync(0, "utf8"));
  if (typeof state === "object" && state !== null && "pid" in state && Number.isInteger(state.pid))
    return Number(state.pid);
  throw invalidParameter("the state on standard input names no process");
}

async function moveInto(pid: number, device: string, name: string): Promise<void> {
  const fds = ["/proc/self/ns/net", `/proc/${pid}/ns/net`].map((path) => openSync(path, "r"));
  const [here = -1, there = -1] = fds;
  try {
    using own = NetlinkSocket.open(NETLINK_ROUTE);
    using other = NetlinkSocket.openIn(there);
    await moveLink(device, name, { socket: own, netnsFd: here }, { socket: other, netnsFd: there });
  } finally {
    for (const fd of fds) closeSync(fd);
  }
}

import { readFileSync } from "node:fs";
import { notImplemented } from "../../errors/platform-error.ts";
import type { OciResources } from "../../formats/oci-runtime.ts";
import { parseOciResources } from "../../formats/parse-oci-runtime.ts";
import { fileError } from "../../kernel/cgroup-files.ts";
import { updateContainer } from "../../runtime/lifecycle/update-container.ts";
import { integer, parsed, text } from "../flag-kinds.ts";
import type { FlagValues } from "../flags.ts";
import { parseSizeOrUnlimited } from "../values/size.ts";
import { defineRuntimeCommand } from "./runtime-command.ts";

const size = (help: string) => parsed(help, "bytes", parseSizeOrUnlimited);

const flags = {
  "blkio-weight": integer("Weight of block I/O, 10 to 1000"),
  "cpu-burst": integer("Time that may be saved up, in microseconds"),
  "cpu-idle": integer("1: runs only when nobody else does"),
  "cpu-period": integer("Period of the quota, in microseconds"),
  "cpu-quota": integer("Processor time in each period, in microseconds; -1 without limit"),
  "cpu-rt-period": integer("Period of real-time scheduling, in microseconds"),
  "cpu-rt-runtime": integer("Real-time processor time in each period, in microseconds"),
  "cpu-share": integer("Share of the processors, 2 to 262144"),
  "cpuset-cpus": text("Processors, like 0-3,8"),
  "cpuset-mems": text("Memory nodes, like 0,1"),
  "l3-cache-schema": text("Intel RDT; not supported", { hidden: true }),
  "mem-bw-schema": text("Intel RDT; not supported", { hidden: true }),
  memory: size("Memory limit; -1 without limit"),
  "memory-reservation": size("Memory that is left alone when it gets scarce"),
  "memory-swap": size("Limit of memory and swap together; -1 without limit"),
  "pids-limit": integer("Number of processes and threads; -1 without limit"),
  resources: text("File with the resources as JSON; - is standard input", { short: "r" }),
};

export const command = defineRuntimeCommand({
  usage: "[OPTIONS] CONTAINER",
  summary: "Change the limits of a container",
  flags,
  args: { min: 1, max: 1 },

  async execute(context, { flags: values, args: [id = ""] }) {
    if (values["l3-cache-schema"] !== undefined || values["mem-bw-schema"] !== undefined)
      throw notImplemented("intelRdt: is not supported");
    const resources = values.resources === undefined ? resourcesOf(values) : readResources(values.resources);
    updateContainer(context.root, id, resources, await context.host());
    return 0;
  },
});

function readResources(path: string): OciResources {
  let json: string;
  try {
    json = readFileSync(path === "-" ? 0 : path, "utf8");
  } catch (cause) {
    throw fileError(cause, `read ${path === "-" ? "standard input" : path}`);
  }
  return parseOciResources(json);
}

function resourcesOf(values: FlagValues<typeof flags>): OciResources {
  return {
    cpu: given({
      burst: values["cpu-burst"],
      cpus: values["cpuset-cpus"],
      idle: values["cpu-idle"],
      mems: values["cpuset-mems"],
      period: values["cpu-period"],
      quota: values["cpu-quota"],
      realtimePeriod: values["cpu-rt-period"],
      realtimeRuntime: values["cpu-rt-runtime"],
      shares: values["cpu-share"],
    }),
    memory: given({
      limit: values.memory,
      reservation: values["memory-reservation"],
      swap: values["memory-swap"],
    }),
    ...(values["pids-limit"] !== undefined && { pids: { limit: values["pids-limit"] } }),
    ...(values["blkio-weight"] !== undefined && { blockIO: { weight: values["blkio-weight"] } }),
  };
}

/** Without the properties that are undefined. */
function given<T extends object>(values: T): { [K in keyof T]?: NonNullable<T[K]> } {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: NonNullable<T[K]> };
}

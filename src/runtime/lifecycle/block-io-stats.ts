/** Reads one file of a cgroup; empty without it. */
interface Files {
  text(file: string): string;
}

export interface BlockIoEntry {
  readonly major: number;
  readonly minor: number;
  readonly op: string;
  readonly value: number;
}

const v1Files = {
  ioServiceBytesRecursive: [
    "blkio.bfq.io_service_bytes_recursive",
    "blkio.throttle.io_service_bytes_recursive",
  ],
  ioServicedRecursive: ["blkio.bfq.io_serviced_recursive", "blkio.throttle.io_serviced_recursive"],
  ioQueueRecursive: ["blkio.bfq.io_queued_recursive", "blkio.io_queued_recursive"],
  ioServiceTimeRecursive: ["blkio.bfq.io_service_time_recursive", "blkio.io_service_time_recursive"],
  ioWaitTimeRecursive: ["blkio.bfq.io_wait_time_recursive", "blkio.io_wait_time_recursive"],
  ioMergedRecursive: ["blkio.bfq.io_merged_recursive", "blkio.io_merged_recursive"],
  ioTimeRecursive: ["blkio.bfq.time_recursive", "blkio.time_recursive"],
  sectorsRecursive: ["blkio.bfq.sectors_recursive", "blkio.sectors_recursive"],
} as const;

/** cgroup v1: the scheduler's statistics where it keeps some, else those of throttling. */
export function readBlockIoV1(files: Files): Record<string, BlockIoEntry[]> {
  return Object.fromEntries(
    Object.entries(v1Files).map(([name, candidates]) => [
      name,
      candidates.map((file) => parseV1(files.text(file))).find((entries) => entries.length > 0) ?? [],
    ]),
  );
}

/** `8:0 Read 4096`, or `8:0 12`. Pure. */
function parseV1(text: string): BlockIoEntry[] {
  return text.split("\n").flatMap((line) => {
    const match = /^(\d+):(\d+) (?:([A-Za-z]+) )?(\d+)$/.exec(line);
    return match === null
      ? []
      : [{ major: Number(match[1]), minor: Number(match[2]), op: match[3] ?? "", value: Number(match[4]) }];
  });
}

const v2Keys = {
  rbytes: ["ioServiceBytesRecursive", "Read"],
  wbytes: ["ioServiceBytesRecursive", "Write"],
  dbytes: ["ioServiceBytesRecursive", "Discard"],
  rios: ["ioServicedRecursive", "Read"],
  wios: ["ioServicedRecursive", "Write"],
  dios: ["ioServicedRecursive", "Discard"],
} as const;

/** cgroup v2, io.stat: `8:0 rbytes=4096 wbytes=0 …`. */
export function readBlockIoV2(files: Files): Record<string, BlockIoEntry[]> {
  const result: Record<string, BlockIoEntry[]> = { ioServiceBytesRecursive: [], ioServicedRecursive: [] };
  for (const line of files.text("io.stat").split("\n")) {
    const [device = "", ...pairs] = line.split(" ");
    const [major, minor] = device.split(":").map(Number);
    if (major === undefined || minor === undefined) continue;
    for (const pair of pairs) {
      const [key = "", value] = pair.split("=");
      if (!Object.hasOwn(v2Keys, key)) continue;
      const [name, op] = v2Keys[key as keyof typeof v2Keys];
      result[name]?.push({ major, minor, op, value: Number(value) });
    }
  }
  return result;
}

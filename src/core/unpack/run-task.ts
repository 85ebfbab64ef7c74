import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { check, O_DIRECTORY, tryClose, tryOpen, trySyncFileSystem } from "../../kernel/file-calls.ts";
import { removeTree } from "../../kernel/remove-tree.ts";
import { LayerStack } from "../anatomy/compare-layers.ts";
import { describeAnatomy } from "../anatomy/describe-anatomy.ts";
import { readLayerEntries } from "../anatomy/read-layer-entries.ts";
import { captureLayer } from "../diff/capture-layer.ts";
import { packArchive } from "../diff/pack-archive.ts";
import { packLayer } from "../diff/pack-layer.ts";
import { compareTrees } from "../fsck/compare-trees.ts";
import { hashFile } from "../fsck/hash-file.ts";
import { inheritAttributes } from "./inherit-attributes.ts";
import type { JobInput } from "./job-input.ts";
import type { Task, TaskResult, TaskResults } from "./job-messages.ts";
import { spoolArchive } from "./spool-archive.ts";
import { unpackLayer } from "./unpack-layer.ts";

/** Carries out a task inside a Worker. */
export async function runTask(task: Task, input: JobInput): Promise<TaskResult> {
  switch (task.kind) {
    case "unpack":
      return unpackLayer(task, input);
    case "spool":
      return spoolArchive(task.directory, input);
    case "measure":
      return measureTree(task.directory);
    case "remove":
      for (const directory of task.directories) {
        input.throwIfAborted();
        removeTree(directory);
      }
      return undefined;
    case "inherit":
      inheritAttributes(task);
      return undefined;
    case "anatomy":
      return anatomyOf(task, input);
    case "capture":
      return captureLayer(task, input.signal);
    case "pack":
      return packLayer(task, input.signal);
    case "pack-archive":
      return packArchive(task, input);
    case "sync":
      syncFileSystem(task.directory);
      return undefined;
    case "hash":
      return hashFile(task.path, task.algorithm);
    case "compare":
      return compareTrees(task.expected, task.actual, task.implied);
  }
}

async function anatomyOf(request: Task & { kind: "anatomy" }, input: JobInput): Promise<string> {
  const stack = new LayerStack();
  for (const files of request.files) {
    await Bun.sleep(0); // an abort arrives as a message
    input.throwIfAborted();
    stack.add(readLayerEntries(files));
  }
  return JSON.stringify(describeAnatomy(request, stack));
}

function syncFileSystem(directory: string): void {
  const fd = check(tryOpen(directory, O_DIRECTORY), `open ${directory}`);
  try {
    check(trySyncFileSystem(fd), `sync ${directory}`);
  } finally {
    tryClose(fd);
  }
}

/** Files with several names count once. The directory itself does not count. */
function measureTree(directory: string): TaskResults["measure"] {
  const linked = new Set<string>();
  let sizeBytes = 0;
  let inodes = 0;
  const pending = [directory];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      const child = join(path, entry.name);
      const status = lstatSync(child, { throwIfNoEntry: false });
      if (status === undefined) continue; // the container goes on working meanwhile
      if (status.nlink > 1 && !status.isDirectory()) {
        const inode = `${status.dev}:${status.ino}`;
        if (linked.has(inode)) continue;
        linked.add(inode);
      }
      inodes++;
      if (status.isFile()) sizeBytes += status.size;
      if (status.isDirectory()) pending.push(child);
    }
  }
  return { sizeBytes, inodes };
}

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
import { writeErofsImage } from "../snapshots/erofs/write-image.ts";
import { giveTurn } from "../snapshots/give-turn.ts";
import { applyLayer } from "../snapshots/vfs/apply-layer.ts";
import { cloneTree } from "../snapshots/vfs/clone-tree.ts";
import { inheritAttributes } from "./inherit-attributes.ts";
import type { JobInput } from "./job-input.ts";
import type { Task, TaskResult } from "./job-messages.ts";
import { measureTree } from "./measure-tree.ts";
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
      return measureTree(task.directory, task.original);
    case "remove":
      for (const directory of task.directories) await removeTree(directory, () => giveTurn(input.signal));
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
    case "clone":
      cloneTree(task);
      return undefined;
    case "erofs":
      writeErofsImage(task);
      return undefined;
    case "apply":
      applyLayer(task);
      return undefined;
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

/**
 * Every command: where it stands, what it is for, which file it lives in. All files are
 * imported at once, which costs less than one dynamic import, but a command's definition is built only when it is
 * called. What is big and rarely used (help, templates, progress) is imported by the command that needs it.
 */
import type { CommandDefinition } from "./command.ts";
import { command as attach } from "./commands/attach.ts";
import { command as commit } from "./commands/commit.ts";
import { command as containerInspect } from "./commands/container-inspect.ts";
import { command as containerPrune } from "./commands/container-prune.ts";
import { command as create } from "./commands/create.ts";
import { command as diff } from "./commands/diff.ts";
import { command as events } from "./commands/events.ts";
import { command as exec } from "./commands/exec.ts";
import { command as explain } from "./commands/explain.ts";
import { command as exportContainer } from "./commands/export.ts";
import { command as fsck } from "./commands/fsck.ts";
import { command as history } from "./commands/history.ts";
import { command as imageExplain } from "./commands/image-explain.ts";
import { command as imageInspect } from "./commands/image-inspect.ts";
import { command as imageMount } from "./commands/image-mount.ts";
import { command as imagePrune } from "./commands/image-prune.ts";
import { command as imageUnmount } from "./commands/image-unmount.ts";
import { command as images } from "./commands/images.ts";
import { command as importImage } from "./commands/import.ts";
import { command as info } from "./commands/info.ts";
import { command as inspect } from "./commands/inspect.ts";
import { command as kill } from "./commands/kill.ts";
import { command as load } from "./commands/load.ts";
import { command as login } from "./commands/login.ts";
import { command as logout } from "./commands/logout.ts";
import { command as logs } from "./commands/logs.ts";
import { command as manifestAnnotate } from "./commands/manifest-annotate.ts";
import { command as manifestCreate } from "./commands/manifest-create.ts";
import { command as manifestInspect } from "./commands/manifest-inspect.ts";
import { command as manifestPush } from "./commands/manifest-push.ts";
import { command as manifestRm } from "./commands/manifest-rm.ts";
import { command as networkInspect } from "./commands/network-inspect.ts";
import { command as networkLs } from "./commands/network-ls.ts";
import { command as pause } from "./commands/pause.ts";
import { command as port } from "./commands/port.ts";
import { command as ps } from "./commands/ps.ts";
import { command as pull } from "./commands/pull.ts";
import { command as push } from "./commands/push.ts";
import { command as rename } from "./commands/rename.ts";
import { command as restart } from "./commands/restart.ts";
import { command as rm } from "./commands/rm.ts";
import { command as rmi } from "./commands/rmi.ts";
import { command as run } from "./commands/run.ts";
import { command as save } from "./commands/save.ts";
import { command as search } from "./commands/search.ts";
import { command as start } from "./commands/start.ts";
import { command as stop } from "./commands/stop.ts";
import { command as systemDf } from "./commands/system-df.ts";
import { command as systemPrune } from "./commands/system-prune.ts";
import { command as tag } from "./commands/tag.ts";
import { command as top } from "./commands/top.ts";
import { command as unpause } from "./commands/unpause.ts";
import { command as version } from "./commands/version.ts";
import { command as wait } from "./commands/wait.ts";

export interface CommandEntry {
  /** `run`, or `container ls`. */
  readonly name: string;
  /** The same command under other names: `container run`. */
  readonly aliases: readonly string[];
  readonly summary: string;
  readonly section: "common" | "management" | "other" | "hidden";
  readonly define: () => CommandDefinition;
}

export interface CommandGroup {
  readonly name: string;
  readonly summary: string;
}

export const commandGroups: readonly CommandGroup[] = [
  { name: "container", summary: "Work with containers" },
  { name: "image", summary: "Work with images" },
  { name: "manifest", summary: "Put images for several platforms together under one name" },
  { name: "network", summary: "Look at networks" },
  { name: "system", summary: "Look at the engine and its disk space" },
];

const entry = (
  section: CommandEntry["section"],
  name: string,
  summary: string,
  define: () => CommandDefinition,
  ...aliases: string[]
): CommandEntry => ({ section, name, summary, define, aliases });

/** A container command, also found below `container`. */
const container = (
  name: string,
  summary: string,
  define: () => CommandDefinition,
  section: CommandEntry["section"] = "other",
  ...more: string[]
) => entry(section, name, summary, define, `container ${name}`, ...more);

export const commands: readonly CommandEntry[] = [
  container("run", "Make a container from an image and run it", run, "common"),
  container("exec", "Run a command in a running container", exec, "common"),
  container("ps", "List containers", ps, "common", "container ls", "container list"),
  container("explain", "Show the kernel steps of a container, image or bundle", explain, "common"),
  entry("common", "pull", "Download an image from a registry", pull, "image pull"),
  entry("common", "push", "Upload an image to a registry", push, "image push"),
  entry("common", "images", "List images", images, "image ls", "image list"),
  entry("common", "version", "Show the versions of command line and engine", version),
  entry("common", "info", "Show what the engine runs on", info, "system info"),
  container("attach", "Connect the terminal to a running container", attach),
  container("commit", "Make an image of a container's files", commit),
  container("create", "Make a container without starting it", create),
  container("diff", "Show what a container changed in its files", diff),
  entry("other", "events", "Watch what happens in the engine", events, "system events"),
  container("export", "Write a container's files to a tar archive", exportContainer),
  entry("other", "fsck", "Check everything on disk, and repair it", fsck, "system fsck"),
  entry("other", "history", "Show how an image was built", history, "image history"),
  entry("other", "import", "Make an image of a tar archive of files", importImage, "image import"),
  entry("other", "inspect", "Show everything about containers, images and networks", inspect),
  container("kill", "Send a signal to running containers", kill),
  entry("other", "load", "Read images from a tar archive", load, "image load"),
  entry("other", "login", "Check and keep the credentials of a registry", login),
  entry("other", "logout", "Forget the credentials of a registry", logout),
  container("logs", "Show what a container has written", logs),
  container("pause", "Freeze all processes of containers", pause),
  container("port", "Show the published ports of a container", port),
  container("rename", "Give a container another name", rename),
  container("restart", "Stop containers and start them again", restart),
  container("rm", "Remove containers", rm, "other", "container remove"),
  entry("other", "rmi", "Remove images", rmi, "image rm", "image remove"),
  entry("other", "save", "Write images to a tar archive", save, "image save"),
  entry("other", "search", "Find images in Docker Hub or another registry", search),
  container("start", "Start stopped containers", start),
  container("stop", "Stop running containers", stop),
  entry("other", "tag", "Give an image another name", tag, "image tag"),
  container("top", "Show the processes of a container", top),
  container("unpause", "Let frozen containers go on", unpause),
  container("wait", "Wait until containers stop, print their exit codes", wait),
  entry("hidden", "container inspect", "Show everything about containers", containerInspect),
  entry(
    "hidden",
    "image explain",
    "Show what an image is made of: platforms, layers, files, waste",
    imageExplain,
  ),
  entry("hidden", "image mount", "Mount the files of an image for reading, or list such mounts", imageMount),
  entry("hidden", "image unmount", "Unmount images", imageUnmount, "image umount"),
  entry("hidden", "image inspect", "Show everything about images", imageInspect),
  entry("hidden", "container prune", "Remove all stopped containers", containerPrune),
  entry("hidden", "image prune", "Remove unused images", imagePrune),
  entry("hidden", "system df", "Show how much disk space is used, and for what", systemDf),
  entry("hidden", "system prune", "Remove everything that is not in use", systemPrune),
  entry("hidden", "manifest annotate", "Say more of a manifest in a list, or of the list", manifestAnnotate),
  entry(
    "hidden",
    "manifest create",
    "Put manifests together to a list, which can then be pushed",
    manifestCreate,
  ),
  entry("hidden", "manifest inspect", "Show a manifest, or a list of them", manifestInspect),
  entry("hidden", "manifest push", "Push a list, and the images that it needs, to a registry", manifestPush),
  entry("hidden", "manifest rm", "Forget lists that were put together here", manifestRm),
  entry("hidden", "network ls", "List networks", networkLs, "network list"),
  entry("hidden", "network inspect", "Show everything about networks", networkInspect),
];

/**
 * Commands that the engine runs for its caller (serve-command.ts): they need nothing of the caller's process but its
 * streams, its terminal and its environment.
 */
export const servedCommands: ReadonlySet<string> = new Set([
  ..."attach create diff events exec history images info inspect kill logs pause port ps pull push".split(
    " ",
  ),
  ..."rename restart rm rmi run start stop tag top unpause version wait".split(" "),
  ...["container inspect", "image inspect", "network inspect", "network ls"],
]);

/** The first words with which they can be called. */
export function servedWords(): string[] {
  const names = commands.flatMap(({ name, aliases }) => (servedCommands.has(name) ? [name, ...aliases] : []));
  return [...new Set(names.map((name) => name.split(" ", 1)[0] ?? name))].sort();
}

/** The entry of `words[0]` or `words[0] words[1]`, and how many words it took. */
export function findCommand(words: readonly string[]): { entry: CommandEntry; used: 1 | 2 } | undefined {
  const [first = "", second = ""] = words;
  const inGroup = commandGroups.some(({ name }) => name === first);
  const name = inGroup ? `${first} ${second}` : first;
  const entry = commands.find((each) => each.name === name || each.aliases.includes(name));
  return entry && { entry, used: inGroup ? 2 : 1 };
}

/** The commands of a group by the name they have there: `ls`, `run`, … */
export function groupMembers(group: string): { name: string; summary: string }[] {
  const prefix = `${group} `;
  return commands
    .flatMap(({ name, aliases, summary }) => {
      const inside = [name, ...aliases]
        .filter((each) => each.startsWith(prefix))
        .map((each) => each.slice(prefix.length));
      const shown = inside.find((each) => each === "ls") ?? inside[0];
      return shown === undefined ? [] : [{ name: shown, summary }];
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

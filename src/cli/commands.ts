/**
 * Every command: where it stands, what it is for, which file it lives in. Files are imported only when
 * their command is called.
 */
import type { CommandDefinition } from "./command.ts";

export interface CommandEntry {
  /** `run`, or `container ls`. */
  readonly name: string;
  /** The same command under other names: `container run`. */
  readonly aliases: readonly string[];
  readonly summary: string;
  readonly section: "common" | "management" | "other" | "hidden";
  load(): Promise<{ readonly command: CommandDefinition }>;
}

export interface CommandGroup {
  readonly name: string;
  readonly summary: string;
}

export const commandGroups: readonly CommandGroup[] = [
  { name: "container", summary: "Work with containers" },
  { name: "image", summary: "Work with images" },
  { name: "network", summary: "Look at networks" },
  { name: "system", summary: "Look at the engine" },
];

type Load = CommandEntry["load"];

const entry = (
  section: CommandEntry["section"],
  name: string,
  summary: string,
  load: Load,
  ...aliases: string[]
): CommandEntry => ({ section, name, summary, load, aliases });

/** A container command, also found below `container`. */
const container = (
  name: string,
  summary: string,
  load: Load,
  section: CommandEntry["section"] = "other",
  ...more: string[]
) => entry(section, name, summary, load, `container ${name}`, ...more);

export const commands: readonly CommandEntry[] = [
  container("run", "Make a container from an image and run it", () => import("./commands/run.ts"), "common"),
  container("exec", "Run a command in a running container", () => import("./commands/exec.ts"), "common"),
  container(
    "ps",
    "List containers",
    () => import("./commands/ps.ts"),
    "common",
    "container ls",
    "container list",
  ),
  container(
    "explain",
    "Show the kernel steps that make up a container",
    () => import("./commands/explain.ts"),
    "common",
  ),
  entry(
    "common",
    "pull",
    "Download an image from a registry",
    () => import("./commands/pull.ts"),
    "image pull",
  ),
  entry("common", "images", "List images", () => import("./commands/images.ts"), "image ls", "image list"),
  entry(
    "common",
    "version",
    "Show the versions of command line and engine",
    () => import("./commands/version.ts"),
  ),
  entry("common", "info", "Show what the engine runs on", () => import("./commands/info.ts"), "system info"),
  container("attach", "Connect the terminal to a running container", () => import("./commands/attach.ts")),
  container("create", "Make a container without starting it", () => import("./commands/create.ts")),
  entry(
    "other",
    "events",
    "Watch what happens in the engine",
    () => import("./commands/events.ts"),
    "system events",
  ),
  entry(
    "other",
    "history",
    "Show how an image was built",
    () => import("./commands/history.ts"),
    "image history",
  ),
  entry(
    "other",
    "inspect",
    "Show everything about containers, images and networks",
    () => import("./commands/inspect.ts"),
  ),
  container("kill", "Send a signal to running containers", () => import("./commands/kill.ts")),
  entry("other", "load", "Read images from a tar archive", () => import("./commands/load.ts"), "image load"),
  container("logs", "Show what a container has written", () => import("./commands/logs.ts")),
  container("pause", "Freeze all processes of containers", () => import("./commands/pause.ts")),
  container("rename", "Give a container another name", () => import("./commands/rename.ts")),
  container("restart", "Stop containers and start them again", () => import("./commands/restart.ts")),
  container("rm", "Remove containers", () => import("./commands/rm.ts"), "other", "container remove"),
  entry("other", "rmi", "Remove images", () => import("./commands/rmi.ts"), "image rm", "image remove"),
  container("start", "Start stopped containers", () => import("./commands/start.ts")),
  container("stop", "Stop running containers", () => import("./commands/stop.ts")),
  entry("other", "tag", "Give an image another name", () => import("./commands/tag.ts"), "image tag"),
  container("top", "Show the processes of a container", () => import("./commands/top.ts")),
  container("unpause", "Let frozen containers go on", () => import("./commands/unpause.ts")),
  container("wait", "Wait until containers stop, print their exit codes", () => import("./commands/wait.ts")),
  entry(
    "hidden",
    "container inspect",
    "Show everything about containers",
    () => import("./commands/container-inspect.ts"),
  ),
  entry(
    "hidden",
    "image inspect",
    "Show everything about images",
    () => import("./commands/image-inspect.ts"),
  ),
  entry("hidden", "network ls", "List networks", () => import("./commands/network-ls.ts"), "network list"),
  entry(
    "hidden",
    "network inspect",
    "Show everything about networks",
    () => import("./commands/network-inspect.ts"),
  ),
];

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

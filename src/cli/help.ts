/** Help texts; imported only when one is asked for. */
import type { CommandDefinition } from "./command.ts";
import { type CommandEntry, commandGroups, commands, groupMembers } from "./commands.ts";
import type { Flag, FlagTable } from "./flags.ts";

const lineWidth = 100;

export function mainHelp(): string {
  return [
    "Usage:  gantry [OPTIONS] COMMAND\n\nA whole container platform in one program\n",
    section("Common Commands", listOf("common")),
    section("Management Commands", commandGroups),
    section("Commands", listOf("other")),
    `Global Options:
  -H, --host string   Socket of the engine to talk to (default $GANTRY_HOST, then
                      unix:///run/gantry/gantry.sock, where an engine is started on demand)
  -v, --version       Print the version and quit
      --help          Print this help and quit
`,
    "Roles:\n  engine      Serve containers and images; `gantry engine --help` has its options\n" +
      "  registry    Serve a registry for images; `gantry registry serve --help` has its options\n",
    "Run 'gantry COMMAND --help' for more information on a command.\n",
  ].join("\n");
}

export function groupHelp(group: string): string {
  const summary = commandGroups.find(({ name }) => name === group)?.summary ?? "";
  return [
    `Usage:  gantry ${group} COMMAND\n\n${summary}\n`,
    section("Commands", groupMembers(group)),
    `Run 'gantry ${group} COMMAND --help' for more information on a command.\n`,
  ].join("\n");
}

export function commandHelp(commandName: string, entry: CommandEntry, definition: CommandDefinition): string {
  const names = [entry.name, ...entry.aliases].map((name) => `gantry ${name}`).sort();
  const aliases = names.length > 1 ? `\nAliases:\n  ${names.join(", ")}\n` : "";
  const options = flagLines(definition.flags);
  return (
    `${usageLine(commandName, definition)}\n\n${entry.summary}\n${aliases}` +
    (options === "" ? "" : `\nOptions:\n${options}`)
  );
}

export function usageLine(commandName: string, definition: CommandDefinition): string {
  return `Usage:  ${commandName} ${definition.usage}`;
}

const listOf = (wanted: CommandEntry["section"]) => commands.filter(({ section }) => section === wanted);

function section(
  title: string,
  rows: readonly { readonly name: string; readonly summary: string }[],
): string {
  return `${title}:\n${rows.map(({ name, summary }) => `  ${name.padEnd(11)} ${summary}\n`).join("")}`;
}

export function flagLines(flags: FlagTable): string {
  const rows = Object.entries(flags)
    .filter(([, flag]) => flag.hidden === undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, flag]) => ({ left: flagHead(name, flag), right: flagText(flag) }));
  const indent = Math.max(0, ...rows.map(({ left }) => left.length)) + 3;
  return rows
    .map(({ left, right }) => left.padEnd(indent) + wrap(right, lineWidth - indent, indent))
    .join("");
}

function flagHead(name: string, flag: Flag<unknown>): string {
  const short = flag.short === undefined ? "    " : `-${flag.short}, `;
  return `  ${short}--${name}${flag.type === undefined ? "" : ` ${flag.type}`}`;
}

const flagText = ({ help, shownDefault }: Flag<unknown>) =>
  shownDefault === undefined ? help : `${help} (default ${shownDefault})`;

function wrap(text: string, width: number, indent: number): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return `${[...lines, line].join(`\n${" ".repeat(indent)}`)}\n`;
}

import { humanSize, shortId } from "./human.ts";

interface Described {
  readonly role: string;
  readonly name: string;
}

/** An element of `GET /gantry/v1/storage/keepers`. */
export interface KeptObject extends Described {
  readonly bytes: number;
  readonly keepers: readonly {
    readonly kind: string;
    readonly name: string;
    readonly through: readonly Described[];
  }[];
}

const text = ({ role, name }: Described): string => `${role} ${shortId(name)}`;

/** `df --why`: each object, and below it everybody who keeps it, with the way from the one to the other. */
export function keepersText(objects: readonly KeptObject[]): string {
  return objects.map((object) => `${text(object)}  ${humanSize(object.bytes)}\n${ways(object)}`).join("");
}

function ways({ keepers }: KeptObject): string {
  if (keepers.length === 0) return "    nobody keeps it: `image prune` removes it\n";
  return keepers
    .map(({ kind, name, through }) => {
      const keeper = `${kind} ${name.startsWith("sha256:") ? shortId(name) : name}`;
      return `    ${[keeper, ...through.map(text)].join(" > ")}\n`;
    })
    .join("");
}

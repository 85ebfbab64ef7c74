import { invalidParameter } from "../../../errors/platform-error.ts";
import type { Access } from "./access.ts";

const repositoryActions = ["pull", "push", "delete"] as const;
/** The user of a rule for those who did not log in; everybody else has its rights as well. */
export const anonymous = "anonymous";

interface Rule {
  readonly user: string;
  readonly pattern: string;
  readonly actions: ReadonlySet<string>;
}

/**
 * Who may do what: lines of `USER PATTERN ACTIONS`, such as `ann team/** pull,push`; `#` begins a comment.
 *
 * USER is a name, `*` for everybody who has logged in, or `anonymous` for really everybody. In a PATTERN `*` stands for a
 * part of one component of a repository's name, `**` for any number of components, and `{user}` for the user's name.
 * ACTIONS are some of pull, push and delete. What no line allows is refused. The catalog, which names every repository,
 * is for those who may pull `**`.
 */
export class AccessList {
  private constructor(private readonly rules: readonly Rule[]) {}

  /** Without a list: whoever has logged in may do everything. */
  static readonly everyUser = new AccessList([
    { user: "*", pattern: "**", actions: new Set(repositoryActions) },
  ]);

  /** Errors: InvalidParameter naming the line. */
  static parse(text: string, name: string): AccessList {
    const lines = text.split("\n").map((line) => line.replace(/#.*/, "").trim());
    return new AccessList(
      lines.flatMap((line, index) => (line === "" ? [] : [parseRule(line, `${name} line ${index + 1}`)])),
    );
  }

  /** Whether somebody may do something without a login. */
  get admitsAnonymous(): boolean {
    return this.rules.some(({ user }) => user === anonymous);
  }

  /** The part of what is asked for that `user` may have; undefined: nobody has logged in. */
  grant(user: string | undefined, { type, name, actions }: Access): Access {
    return { type, name, actions: withoutImplied(actions, this.allowed(user, type, name)) };
  }

  private allowed(user: string | undefined, type: string, name: string): ReadonlySet<string> {
    const mine = this.rules.filter(
      (rule) => rule.user === anonymous || (user !== undefined && (rule.user === "*" || rule.user === user)),
    );
    if (type === "registry" && name === "catalog") {
      return new Set(
        mine.some(({ pattern, actions }) => pattern === "**" && actions.has("pull")) ? ["*"] : [],
      );
    }
    if (type !== "repository") return new Set();
    const matching = mine.filter(({ pattern }) => patternOf(pattern, user).test(name));
    return new Set(matching.flatMap(({ actions }) => [...actions]));
  }
}

/** Whoever asks for `*` gets all there is, and `*` itself where that is everything. */
function withoutImplied(asked: readonly string[], allowed: ReadonlySet<string>): string[] {
  if (!asked.includes("*") || allowed.has("*")) return asked.filter((action) => allowed.has(action));
  return [...allowed, ...(repositoryActions.every((action) => allowed.has(action)) ? ["*"] : [])];
}

function parseRule(line: string, where: string): Rule {
  const [user = "", pattern = "", actions = "", ...rest] = line.split(/\s+/);
  if (actions === "" || rest.length > 0) {
    throw invalidParameter(`${where}: expected USER PATTERN ACTIONS`, {
      hint: "for instance: ann team/** pull,push",
    });
  }
  if (!/^[a-z0-9._{}*/-]+$/.test(pattern)) {
    throw invalidParameter(`${where}: ${pattern} is no pattern of repository names`);
  }
  const asked = actions.split(",");
  const unknown = asked.find((action) => !repositoryActions.some((known) => known === action));
  if (unknown !== undefined) {
    throw invalidParameter(`${where}: unknown action ${unknown}: not one of ${repositoryActions.join(", ")}`);
  }
  return { user, pattern, actions: new Set(asked) };
}

/** `{user}` of somebody without a name matches nothing. */
function patternOf(pattern: string, user: string | undefined): RegExp {
  if (pattern.includes("{user}") && user === undefined) return /$^/;
  const parts = pattern.split(/(\*\*|\*|\{user\})/).map((part) => {
    if (part === "**") return ".*";
    if (part === "*") return "[^/]*";
    return RegExp.escape(part === "{user}" ? (user ?? "") : part);
  });
  return new RegExp(`^${parts.join("")}$`);
}

/**
 * One thing that somebody wants to do, or may do: an entry of a token's `access` claim, and a scope.
 * Spec: distribution's "Token Authentication Specification" and "Token Scope Documentation".
 */
export interface Access {
  /** `repository`; `registry` for the catalog. */
  readonly type: string;
  readonly name: string;
  /** `pull`, `push`, `delete`; `*` for everything. */
  readonly actions: readonly string[];
}

/** What the bearer of an identity or a token may do. */
export interface Grant {
  allows(access: Access): boolean;
}

export const repositoryAccess = (name: string, ...actions: string[]): Access => ({
  type: "repository",
  name,
  actions,
});

export const catalogAccess: Access = { type: "registry", name: "catalog", actions: ["*"] };

/** `repository:team/app:pull,push`; several are separated by spaces. */
export function formatScopes(accesses: readonly Access[]): string {
  return accesses.map(({ type, name, actions }) => `${type}:${name}:${actions.join(",")}`).join(" ");
}

/** A name may hold colons: a host with a port. What is no scope is left out, as an unknown right would be. */
export function parseScopes(text: string): Access[] {
  return text.split(" ").flatMap((scope) => {
    const [, type = "", name = "", actions = ""] = /^([a-z0-9()]+):(.+):([a-z*,]+)$/.exec(scope) ?? [];
    return type === "" ? [] : [{ type, name, actions: actions.split(",").filter((each) => each !== "") }];
  });
}

import { posix } from "node:path";
import { invalidParameter, notImplemented } from "../../errors/platform-error.ts";

/** One entry of `Binds`. */
export interface Bind {
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
  /** `rprivate`, `rslave`, …; undefined for the default. */
  readonly propagation: string | undefined;
  /** `z` or `Z`: an SELinux label is to be set. */
  readonly relabel: boolean;
}

export const propagations = ["private", "rprivate", "shared", "rshared", "slave", "rslave"];

/**
 * Reads `SOURCE:DESTINATION[:OPTIONS]`.
 *
 * Errors: InvalidParameter in Docker's wording; NotImplemented for a named or anonymous volume.
 */
export function parseBind(text: string): Bind {
  const parts = text.split(":");
  const [source = "", target = "", mode = ""] = parts;
  if (parts.length > 3 || source === "") throw invalidBind(text);
  if (parts.length === 1)
    throw notImplemented(`volume ${text}: anonymous volumes are not supported yet`, {
      hint: "bind a directory of the host: SOURCE:DESTINATION",
    });
  if (target === "") throw invalidBind(text);
  checkTarget(target, text);
  if (!source.startsWith("/")) {
    if (source.includes("/") || source.startsWith("."))
      throw invalidParameter(
        `create ${source}: "${source}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
      );
    throw notImplemented(`volume ${source}: named volumes are not supported yet`, {
      hint: "bind a directory of the host: /SOURCE:DESTINATION",
    });
  }
  return { source: posix.normalize(source), target: cleanPath(target), ...parseMode(mode, text) };
}

const invalidBind = (text: string) => invalidParameter(`invalid volume specification: '${text}'`);

function checkTarget(target: string, text: string): void {
  if (!target.startsWith("/"))
    throw invalidParameter(
      `invalid volume specification: '${text}': invalid mount path: '${target}' mount path must be absolute`,
    );
  if (cleanPath(target) === "/")
    throw invalidParameter(
      `invalid volume specification: '${text}': invalid specification: destination can't be '/'`,
    );
}

/** Without a slash at the end, as Docker shows it. */
export const cleanPath = (path: string): string => posix.normalize(path).replace(/(.)\/+$/, "$1");

function parseMode(mode: string, text: string) {
  let access: string | undefined;
  let propagation: string | undefined;
  let relabel = false;
  const seen = new Set<string>();
  for (const option of mode === "" ? [] : mode.split(",")) {
    const kind = kindOf(option);
    if (kind === undefined || seen.has(kind)) throw invalidParameter(`invalid mode: ${mode}`);
    seen.add(kind);
    if (kind === "access") access = option;
    else if (kind === "propagation") propagation = option;
    else if (kind === "label") relabel = true;
    else if (kind === "copy")
      throw invalidParameter(`invalid volume specification: '${text}': nocopy is for volumes only`);
  }
  return { readOnly: access === "ro", propagation, relabel };
}

/** Of each kind one is allowed. Consistency says something on other systems only. */
function kindOf(option: string): string | undefined {
  if (option === "ro" || option === "rw") return "access";
  if (option === "z" || option === "Z") return "label";
  if (option === "nocopy") return "copy";
  if (["consistent", "cached", "delegated"].includes(option)) return "consistency";
  return propagations.includes(option) ? "propagation" : undefined;
}

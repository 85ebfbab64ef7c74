import complete from "node:path";

/**
 * node:path: Bun's for browsers, which looks at every character, with the common case before it: paths that are normal
 * already.
 */
const isNormal = (path: string): boolean =>
  path !== "" && path[0] !== "." && !path.includes("//") && !path.includes("/.");

export const normalize = (path: string): string => (isNormal(path) ? path : complete.normalize(path));

export function join(...parts: string[]): string {
  const joined = parts.filter((part) => part !== "").join("/");
  return isNormal(joined) ? joined : complete.join(...parts);
}

export function resolve(...parts: string[]): string {
  const last = parts.at(-1) ?? "";
  if (last[0] === "/" && isNormal(last) && !last.endsWith("/")) return last;
  return complete.resolve(...parts);
}

export const dirname = complete.dirname;
export const basename = complete.basename;
export const isAbsolute = (path: string): boolean => path[0] === "/";
export const relative = complete.relative;
export const extname = complete.extname;

export const posix = { normalize, join, resolve, dirname, basename, isAbsolute, relative, extname };
export default posix;

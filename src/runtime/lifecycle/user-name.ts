import { readFileSync } from "node:fs";

/** Name of a user of the host; the number where /etc/passwd has none. */
export function userName(uid: number): string {
  if (uid === 0) return "root";
  try {
    const line = readFileSync("/etc/passwd", "utf8")
      .split("\n")
      .find((entry) => entry.split(":")[2] === String(uid));
    return line?.split(":")[0] ?? String(uid);
  } catch {
    return String(uid);
  }
}

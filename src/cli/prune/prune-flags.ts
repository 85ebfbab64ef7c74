import { bool, filters } from "../flag-kinds.ts";

/** The flags that every prune has. */
export const pruneFlags = () => ({
  "dry-run": bool("Only show what would go, how much it is, and why"),
  filter: filters("Remove only what matches (key=value): until, label, label!", {}),
  force: bool("Do not ask", { short: "f" }),
});

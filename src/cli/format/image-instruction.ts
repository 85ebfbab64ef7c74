/** What a history calls an instruction, as it stands in a Dockerfile: without the shell that ran it, on one line. */
export function imageInstruction(createdBy: string): string {
  const line = createdBy
    .replace(/\s+/g, " ")
    .replace(/ # buildkit$/, "")
    .trim();
  const nop = /^\/bin\/sh -c #\(nop\) (.*)$/.exec(line)?.[1];
  if (nop !== undefined) return nop.trim();
  const shell = /^(?:\|\d+ .*? )?\/bin\/sh -c (.*)$/.exec(line)?.[1];
  return shell === undefined ? line : `RUN ${shell}`;
}

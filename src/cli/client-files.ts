/** The files of whoever called the command. */
export interface ClientFiles {
  /**
   * Throws OwnProcessNeeded where they are out of reach: the command is run again by a process that has them. To be
   * called before anything was printed or changed.
   */
  require(): void;
  /** Absolute, from the working directory of the caller. */
  resolve(path: string): string;
  /** UTF-8. Errors: as node:fs. */
  readText(path: string): string;
  /** The same of Docker's `config.json`; undefined when there is none, which is known everywhere. */
  readLogin(path: string): string | undefined;
}

/** Nothing has happened: the command has to be run in a process of its caller. */
export class OwnProcessNeeded extends Error {
  override readonly name = "OwnProcessNeeded";
}

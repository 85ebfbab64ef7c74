import { CommandError } from "./command-error.ts";
import type { Environment } from "./values/environment.ts";

/** What a helper keeps for a registry. */
export interface HeldCredentials {
  /** `<token>`: the secret is an identity token. */
  readonly Username: string;
  readonly Secret: string;
}

/** The user name that stands for an identity token. */
export const tokenUser = "<token>";

/** What helpers answer when they have nothing. */
const nothingHeld = "credentials not found in native keychain";

/**
 * A program `docker-credential-NAME` of the user, which keeps passwords in a safe of the system. It gets its
 * question on standard input and answers with JSON.
 */
export class CredentialHelper {
  constructor(
    private readonly name: string,
    private readonly env: Environment,
  ) {}

  /** Undefined when it has none. Errors: CommandError in Docker's words. */
  get(server: string): HeldCredentials | undefined {
    const { isGood, output } = this.run("get", server);
    if (!isGood && output === nothingHeld) return undefined;
    const held = isGood ? parse(output) : undefined;
    if (held !== undefined) return held;
    throw this.failed("getting", output);
  }

  /** Errors: CommandError with what the helper said. */
  store(server: string, held: HeldCredentials): void {
    const { isGood, output } = this.run("store", JSON.stringify({ ServerURL: server, ...held }));
    if (!isGood) throw this.failed("storing", output);
  }

  /** Nothing to erase is no error. */
  erase(server: string): void {
    const { isGood, output } = this.run("erase", server);
    if (!isGood && output !== nothingHeld) throw this.failed("erasing", output);
  }

  private get program(): string {
    return `docker-credential-${this.name}`;
  }

  private run(action: "get" | "store" | "erase", input: string): { isGood: boolean; output: string } {
    const path = Bun.which(this.program, { PATH: this.env.PATH ?? "" });
    if (this.name.includes("/") || path === null) {
      throw new CommandError(`exec: "${this.program}": executable file not found in $PATH`, {
        hint: "install it, or take it out of credsStore and credHelpers in Docker's config.json",
      });
    }
    const { exitCode, stdout } = Bun.spawnSync([path, action], {
      stdin: Buffer.from(input),
      stderr: "inherit",
      env: { ...this.env },
    });
    return { isGood: exitCode === 0, output: stdout.toString().trim() };
  }

  private failed(doing: string, output: string): CommandError {
    // What a helper prints after it failed is its reason; what it prints otherwise may be a secret.
    const reason = output.startsWith("{") ? "its answer is not what it should be" : output;
    return new CommandError(`error ${doing} credentials with ${this.program}: ${reason}`);
  }
}

function parse(output: string): HeldCredentials | undefined {
  try {
    const { Username, Secret } = JSON.parse(output) as Partial<Record<keyof HeldCredentials, unknown>>;
    return typeof Username === "string" && typeof Secret === "string" ? { Username, Secret } : undefined;
  } catch {
    return undefined;
  }
}

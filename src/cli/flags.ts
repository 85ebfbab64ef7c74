/**
 * Command-line flags with the grammar of the pflag library, which Docker's users know: `--long value`,
 * `--long=value`, `-s value`, `-svalue`, bundles (`-it`), `--bool=false`, `--` ends the flags.
 */

/** One flag. Values are collected through `parse`, so that a repeated flag may add to what came before. */
export interface Flag<T> {
  /** One letter, without the dash. */
  readonly short?: string;
  /** Shown in help: `string`, `list`, `bytes`; a flag without a value has none. */
  readonly type?: string;
  readonly help: string;
  readonly initial: T;
  /** Shown in help as `(default X)`. */
  readonly shownDefault?: string;
  /** Adds one given value. Errors: Error; its message completes `invalid argument "X" for "--y" flag: …`. */
  parse(raw: string, previous: T): T;
  /** The value when none is given: `--rm` is `--rm=true`. */
  readonly implied?: string;
  readonly hidden?: true;
  /** Known to Docker, refused by name here. */
  readonly notBuilt?: true;
}

export type FlagTable = Readonly<Record<string, Flag<unknown>>>;
export type FlagValues<F extends FlagTable> = {
  readonly [K in keyof F]: F[K] extends Flag<infer T> ? T : never;
};

/** What is wrong with the command line; printed together with the command's usage, exit code 125. */
export class FlagError extends Error {
  override readonly name = "FlagError";
}

export interface ParsedFlags<F extends FlagTable> {
  readonly values: FlagValues<F>;
  /** Long names of the flags that were given. */
  readonly given: ReadonlySet<keyof F & string>;
  readonly args: readonly string[];
  readonly help: boolean;
}

export interface ParseOptions {
  /** False: the first plain argument ends the flags (`run IMAGE -x` gives `-x` to the command inside). */
  readonly interspersed: boolean;
}

/** Errors: FlagError with pflag's wording. */
export function parseFlags<F extends FlagTable>(
  table: F,
  argv: readonly string[],
  options: ParseOptions,
): ParsedFlags<F> {
  return new Parser(table).parse(argv, options);
}

class Parser<F extends FlagTable> {
  private readonly values: Record<string, unknown>;
  private readonly given = new Set<keyof F & string>();
  private readonly byShort = new Map<string, string>();
  private help = false;
  private rest: string[] = [];

  constructor(private readonly table: F) {
    this.values = Object.fromEntries(Object.entries(table).map(([name, flag]) => [name, flag.initial]));
    for (const [name, flag] of Object.entries(table)) if (flag.short) this.byShort.set(flag.short, name);
  }

  parse(argv: readonly string[], { interspersed }: ParseOptions): ParsedFlags<F> {
    this.rest = [...argv];
    const args: string[] = [];
    for (let word = this.rest.shift(); word !== undefined; word = this.rest.shift()) {
      if (word === "--") {
        args.push(...this.rest.splice(0));
      } else if (!word.startsWith("-") || word === "-") {
        args.push(word);
        if (!interspersed) args.push(...this.rest.splice(0));
      } else if (word.startsWith("--")) this.takeLong(word.slice(2));
      else this.takeShort(word.slice(1));
      if (this.help) break;
    }
    // Every value comes from its flag's `initial` or `parse`, so the record has the table's types.
    return { values: this.values as FlagValues<F>, given: this.given, args, help: this.help };
  }

  private takeLong(text: string): void {
    const equals = text.indexOf("=");
    const name = equals < 0 ? text : text.slice(0, equals);
    if (name === "" || name.startsWith("-") || name.startsWith("="))
      throw new FlagError(`bad flag syntax: --${text}`);
    const flag = this.table[name];
    if (flag === undefined) {
      if (name !== "help") throw new FlagError(`unknown flag: --${name}`);
      this.help = true;
      return;
    }
    const value = equals >= 0 ? text.slice(equals + 1) : flag.implied;
    this.set(name, flag, value ?? this.nextValue(`--${name}`));
  }

  private takeShort(letters: string): void {
    for (let at = 0; at < letters.length; at++) {
      const letter = letters.charAt(at);
      const name = this.byShort.get(letter);
      const flag = name === undefined ? undefined : this.table[name];
      if (name === undefined || flag === undefined) {
        if (letter !== "h") throw new FlagError(`unknown shorthand flag: '${letter}' in -${letters}`);
        this.help = true;
        return;
      }
      const rest = letters.slice(at + 1);
      const assigned = rest.startsWith("=") && rest.length > 1 ? rest.slice(1) : undefined;
      const bundled = assigned === undefined && flag.implied !== undefined;
      const given = assigned ?? flag.implied ?? (rest || undefined);
      this.set(name, flag, given ?? this.nextValue(`'${letter}' in -${letters}`));
      if (!bundled) return;
    }
  }

  private nextValue(shown: string): string {
    const value = this.rest.shift();
    if (value === undefined) throw new FlagError(`flag needs an argument: ${shown}`);
    return value;
  }

  private set(name: keyof F & string, flag: Flag<unknown>, raw: string): void {
    if (flag.notBuilt) throw new FlagError(`--${name} is not supported by this version of gantry`);
    try {
      this.values[name] = flag.parse(raw, this.values[name]);
    } catch (error) {
      const shown = flag.short ? `-${flag.short}, --${name}` : `--${name}`;
      const why = error instanceof Error ? error.message : String(error);
      throw new FlagError(`invalid argument ${JSON.stringify(raw)} for "${shown}" flag: ${why}`);
    }
    this.given.add(name);
  }
}

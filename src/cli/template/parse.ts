/** Builds the tree of a Go text/template. */
import { lexTemplate, type Piece, TemplateError, type Token } from "./lex.ts";

export type Operand =
  | { readonly kind: "dot" }
  | { readonly kind: "literal"; readonly value: unknown }
  | { readonly kind: "function"; readonly name: string }
  | { readonly kind: "variable"; readonly name: string }
  | { readonly kind: "group"; readonly pipeline: Pipeline };

/** An operand with a chain of fields behind it: `.A.B`, `$x.A`, `(index .L 0).Name`. */
export interface Term {
  readonly operand: Operand;
  readonly fields: readonly string[];
}

/** First term applied to the others. */
export type Command = readonly Term[];

export interface Pipeline {
  /** `$x := …`, `$i, $x := range …` */
  readonly declared: readonly string[];
  readonly assigns: boolean;
  readonly commands: readonly Command[];
}

export interface BranchNode {
  readonly kind: "if" | "with" | "range";
  readonly pipeline: Pipeline;
  readonly body: readonly Node[];
  readonly otherwise: readonly Node[];
}

export type Node =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "pipeline"; readonly pipeline: Pipeline }
  | BranchNode
  | { readonly kind: "break" }
  | { readonly kind: "continue" };

/** Errors: TemplateError. */
export function parseTemplate(source: string): readonly Node[] {
  const parser = new TreeParser(lexTemplate(source));
  const { nodes, stop } = parser.nodes();
  if (stop !== undefined) throw new TemplateError(`unexpected {{${stop}}}`);
  return nodes;
}

interface Block {
  readonly nodes: readonly Node[];
  /** The word that ended it; undefined at the end of the template. */
  readonly stop: "end" | "else" | undefined;
  /** What stands behind `else`: `if …`, `with …`. */
  readonly stopTokens: readonly Token[];
}

class TreeParser {
  private at = 0;

  constructor(private readonly pieces: readonly Piece[]) {}

  nodes(): Block {
    const nodes: Node[] = [];
    for (let piece = this.pieces[this.at++]; piece !== undefined; piece = this.pieces[this.at++]) {
      if (piece.kind === "text") {
        nodes.push(piece);
        continue;
      }
      const [first, ...rest] = piece.tokens;
      const word = first?.kind === "word" ? first.name : "";
      if (word === "end" || word === "else") return { nodes, stop: word, stopTokens: rest };
      nodes.push(this.action(word, piece.tokens, rest));
    }
    return { nodes, stop: undefined, stopTokens: [] };
  }

  private action(word: string, tokens: readonly Token[], rest: readonly Token[]): Node {
    if (word === "if" || word === "with" || word === "range") return this.branch(word, rest);
    if (word === "break" || word === "continue") return { kind: word };
    if (word === "define" || word === "template" || word === "block") {
      throw new TemplateError(`{{${word}}} is not supported`);
    }
    return { kind: "pipeline", pipeline: parsePipeline(tokens) };
  }

  private branch(kind: "if" | "with" | "range", tokens: readonly Token[]): Node {
    const pipeline = parsePipeline(tokens);
    const body = this.nodes();
    if (body.stop === undefined) throw new TemplateError("unexpected EOF");
    if (body.stop === "end") return { kind, pipeline, body: body.nodes, otherwise: [] };
    return { kind, pipeline, body: body.nodes, otherwise: this.otherwise(body.stopTokens) };
  }

  private otherwise(tokens: readonly Token[]): readonly Node[] {
    const [first, ...rest] = tokens;
    if (first?.kind === "word" && (first.name === "if" || first.name === "with")) {
      return [this.branch(first.name, rest)];
    }
    const block = this.nodes();
    if (block.stop !== "end") throw new TemplateError("expected end; found else");
    return block.nodes;
  }
}

function parsePipeline(tokens: readonly Token[]): Pipeline {
  if (tokens.length === 0) throw new TemplateError("missing value for command");
  const sign = tokens.findIndex((token) => isSymbol(token, ":=") || isSymbol(token, "="));
  const head = sign < 0 ? [] : tokens.slice(0, sign);
  const declared = head.flatMap((token) => (token.kind === "variable" ? [token.name] : []));
  const reader = new TermReader(tokens.slice(sign + 1));
  const commands = reader.commands();
  if (!reader.done) throw new TemplateError("unexpected right paren");
  return { declared, assigns: isSymbol(tokens[sign], "="), commands };
}

class TermReader {
  private at = 0;

  constructor(private readonly tokens: readonly Token[]) {}

  get done(): boolean {
    return this.at >= this.tokens.length;
  }

  commands(): Command[] {
    const commands: Command[] = [this.command()];
    while (isSymbol(this.tokens[this.at], "|")) {
      this.at++;
      commands.push(this.command());
    }
    return commands;
  }

  private command(): Command {
    const terms: Term[] = [];
    while (!this.done && !isSymbol(this.tokens[this.at], "|") && !isSymbol(this.tokens[this.at], ")")) {
      terms.push(this.term());
    }
    if (terms.length === 0) throw new TemplateError("missing value for command");
    return terms;
  }

  private term(): Term {
    const first = this.tokens[this.at++];
    if (first?.kind === "field") return { operand: { kind: "dot" }, fields: [first.name, ...this.chain()] };
    return { operand: this.operand(first), fields: this.chain() };
  }

  private operand(token: Token | undefined): Operand {
    if (token === undefined) throw new TemplateError("missing value for command");
    if (token.kind === "string" || token.kind === "number") return { kind: "literal", value: token.value };
    if (token.kind === "variable") return { kind: "variable", name: token.name };
    if (token.kind === "word") return wordOperand(token.name);
    if (isSymbol(token, ".")) return { kind: "dot" };
    if (!isSymbol(token, "(")) throw new TemplateError("unexpected token in operand");
    const commands = this.commands();
    if (!isSymbol(this.tokens[this.at++], ")")) throw new TemplateError("unclosed left paren");
    return { kind: "group", pipeline: { declared: [], assigns: false, commands } };
  }

  /** Fields right behind an operand, without a space between: `x .F` are two terms. */
  private chain(): string[] {
    const names: string[] = [];
    for (let next = this.tokens[this.at]; next?.kind === "field" && next.glued; next = this.tokens[this.at]) {
      names.push(next.name);
      this.at++;
    }
    return names;
  }
}

function wordOperand(name: string): Operand {
  if (name === "true" || name === "false") return { kind: "literal", value: name === "true" };
  if (name === "nil") return { kind: "literal", value: null };
  return { kind: "function", name };
}

function isSymbol(token: Token | undefined, value: string): boolean {
  return token?.kind === "symbol" && token.value === value;
}

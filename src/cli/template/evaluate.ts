/** Runs a parsed template over a value. Spec: Go text/template, "Actions", "Arguments", "Pipelines". */
import { templateFunctions } from "./functions.ts";
import { TemplateError } from "./lex.ts";
import {
  type BranchNode,
  type Command,
  type Node,
  type Operand,
  type Pipeline,
  parseTemplate,
  type Term,
} from "./parse.ts";
import { isFieldSource, isRecord, isTruth, type Method, printValue } from "./values.ts";

export interface TemplateOptions {
  /** Before Go's own functions, by name. */
  readonly functions?: Readonly<Record<string, Method>>;
}

export type Template = (data: unknown, options?: TemplateOptions) => string;

/** Errors: TemplateError when the source is malformed, and from the result when the data do not fit. */
export function compileTemplate(source: string): Template {
  const nodes = parseTemplate(source);
  return (data, options = {}) => {
    const run = new Run(data, { ...templateFunctions, ...options.functions });
    run.nodes(nodes, data);
    return run.output;
  };
}

type Jump = "break" | "continue" | undefined;

class Run {
  output = "";
  private readonly variables: { name: string; value: unknown }[];

  constructor(
    root: unknown,
    private readonly functions: Readonly<Record<string, Method>>,
  ) {
    this.variables = [{ name: "$", value: root }];
  }

  nodes(nodes: readonly Node[], dot: unknown): Jump {
    for (const node of nodes) {
      const jump = this.node(node, dot);
      if (jump !== undefined) return jump;
    }
    return undefined;
  }

  private node(node: Node, dot: unknown): Jump {
    if (node.kind === "text") this.output += node.text;
    else if (node.kind === "break" || node.kind === "continue") return node.kind;
    else if (node.kind === "pipeline") {
      const value = this.pipeline(node.pipeline, dot);
      if (node.pipeline.declared.length === 0) this.output += printValue(value);
    } else if (node.kind === "range") this.range(node, dot);
    else return this.scoped(() => this.branch(node, dot));
    return undefined;
  }

  private branch(node: BranchNode, dot: unknown): Jump {
    const value = this.pipeline(node.pipeline, dot);
    if (!isTruth(value)) return this.nodes(node.otherwise, dot);
    return this.nodes(node.body, node.kind === "with" ? value : dot);
  }

  private range(node: BranchNode, dot: unknown): void {
    const { declared } = node.pipeline;
    const over = this.pipeline({ ...node.pipeline, declared: [] }, dot);
    const items = rangeItems(over);
    if (items.length === 0) this.scoped(() => this.nodes(node.otherwise, dot));
    for (const [key, item] of items) {
      const jump = this.scoped(() => {
        const [first, second] = declared;
        if (first !== undefined)
          this.variables.push({ name: first, value: second === undefined ? item : key });
        if (second !== undefined) this.variables.push({ name: second, value: item });
        return this.nodes(node.body, item);
      });
      if (jump === "break") return;
    }
  }

  private scoped<T>(action: () => T): T {
    const depth = this.variables.length;
    try {
      return action();
    } finally {
      this.variables.length = depth;
    }
  }

  private pipeline(pipeline: Pipeline, dot: unknown): unknown {
    let value: unknown;
    pipeline.commands.forEach((command, index) => {
      value = this.command(command, dot, index === 0 ? [] : [value]);
    });
    for (const name of pipeline.declared) this.bind(name, value, pipeline.assigns);
    return value;
  }

  private bind(name: string, value: unknown, assigns: boolean): void {
    const known = assigns ? this.variables.findLast((variable) => variable.name === name) : undefined;
    if (assigns && known === undefined) throw new TemplateError(`undefined variable "${name}"`);
    if (known !== undefined) known.value = value;
    else this.variables.push({ name, value });
  }

  private command([head, ...rest]: Command, dot: unknown, piped: readonly unknown[]): unknown {
    if (head === undefined) throw new TemplateError("missing value for command");
    const args = () => [...rest.map((term) => this.term(term, dot, [])), ...piped];
    if (head.operand.kind === "function") {
      const called = this.callFunction(head.operand.name, args());
      return this.fields(called, head.fields, []);
    }
    const callArgs = args();
    if (callArgs.length > 0 && head.fields.length === 0) {
      throw new TemplateError("can't give argument to non-function");
    }
    return this.term(head, dot, callArgs);
  }

  private term({ operand, fields }: Term, dot: unknown, args: readonly unknown[]): unknown {
    return this.fields(this.operand(operand, dot), fields, args);
  }

  private operand(operand: Operand, dot: unknown): unknown {
    switch (operand.kind) {
      case "dot":
        return dot;
      case "literal":
        return operand.value;
      case "function":
        return this.callFunction(operand.name, []);
      case "variable":
        return this.variable(operand.name);
      case "group":
        return this.pipeline(operand.pipeline, dot);
    }
  }

  private variable(name: string): unknown {
    const found = this.variables.findLast((variable) => variable.name === name);
    if (found === undefined) throw new TemplateError(`undefined variable "${name}"`);
    return found.value;
  }

  private callFunction(name: string, args: readonly unknown[]): unknown {
    const method = Object.hasOwn(this.functions, name) ? this.functions[name] : undefined;
    if (method === undefined) throw new TemplateError(`function "${name}" not defined`);
    return method(...args);
  }

  private fields(start: unknown, names: readonly string[], args: readonly unknown[]): unknown {
    let value = start;
    names.forEach((name, index) => {
      value = fieldOf(value, name, index === names.length - 1 ? args : []);
    });
    return value;
  }
}

function fieldOf(value: unknown, name: string, args: readonly unknown[]): unknown {
  if (value === null || value === undefined) {
    throw new TemplateError(`nil pointer evaluating .${name}`);
  }
  const found = isFieldSource(value)
    ? value.field(name)
    : isRecord(value)
      ? memberOf(value, name)
      : undefined;
  if (found === undefined) throw new TemplateError(`can't evaluate field ${name}`);
  if (typeof found === "function") return found(...args);
  if (args.length > 0) throw new TemplateError(`${name} has arguments but cannot be invoked as function`);
  return found;
}

/** By its name on the wire, or by that of Docker's Go types, which users know as well: `.ID` is `Id`. */
function memberOf(record: Readonly<Record<string, unknown>>, name: string): unknown {
  if (Object.hasOwn(record, name)) return record[name];
  const key = initialism.test(name) && Object.keys(record).find((each) => goName(each) === name);
  return key ? record[key] : undefined;
}

const initialism = /API|CPU|DNS|ID|IO|IP|URL/;
const goName = (key: string) =>
  key.replace(/(?:Api|Cpu|Dns|Id|Io|Ip|Url)(?=s?(?:[A-Z]|$))/g, (word) => word.toUpperCase());

function rangeItems(value: unknown): readonly (readonly [unknown, unknown])[] {
  if (value === null || value === undefined) return [];
  if (Array.isArray(value)) return value.map((item, index) => [index, item] as const);
  if (isRecord(value)) return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  if (typeof value === "number") return Array.from({ length: value }, (_, index) => [index, index] as const);
  throw new TemplateError(`range can't iterate over ${printValue(value)}`);
}

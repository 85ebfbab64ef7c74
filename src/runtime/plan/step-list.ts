import type { KernelOperation, KernelStep, Phase, Reason } from "../../kernel/steps.ts";
import type { Origins } from "./plan-options.ts";

/** The words for where a JSON pointer of the spec came from. */
export type ReasonOf = (pointer: string) => Reason;

/**
 * The origin of `pointer` or of the nearest place above it; without one, the place itself:
 * `config.json linux.resources.memory.limit`.
 */
export function reasonsFrom(origins: Origins | undefined): ReasonOf {
  if (origins === undefined || origins.size === 0) return placeOf;
  return (pointer) => {
    for (let place = pointer; ; place = place.slice(0, place.lastIndexOf("/"))) {
      const origin = origins.get(place);
      if (origin !== undefined) return origin;
      if (place === "") return placeOf(pointer);
    }
  };
}

const placeOf = (pointer: string): Reason => `config.json ${pointer.slice(1).replaceAll("/", ".")}`;

/** Collects steps of one phase. */
export class StepList {
  readonly steps: KernelStep[] = [];

  constructor(
    private readonly phase: Phase,
    private readonly reasonOf: ReasonOf,
  ) {}

  /** Adds a step that exists because of what stands at `pointer` in the spec. */
  add(pointer: string, operation: KernelOperation): void {
    this.addBecause(this.reasonOf(pointer), operation);
  }

  /** Adds a step that no field of the spec asks for. */
  addBecause(reason: Reason, operation: KernelOperation): void {
    this.steps.push({ phase: this.phase, reason, ...operation });
  }
}

/** What an event is about. engine-api, "Events". */
export type EventType = "container" | "image" | "network" | "volume" | "daemon";

/** One thing that happened. The wire form (`status`, `id`, `from` before 1.52) is the API's business. */
export interface EngineEvent {
  readonly type: EventType;
  /** Docker's word; those of exec carry the command: `exec_create: sh -c ls`. */
  readonly action: string;
  readonly actorId: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly timeNs: bigint;
}

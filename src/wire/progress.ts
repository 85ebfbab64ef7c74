/** Docker's JSON message stream (pull, push, load, build). Spec: Docker Engine API, progress messages. */
export interface ProgressDetail {
  readonly current?: number;
  /** 0 or absent: unknown. */
  readonly total?: number;
  /** Unix seconds. */
  readonly start?: number;
  readonly hidecounts?: boolean;
  /** Absent: bytes. */
  readonly units?: string;
}

export interface ProgressMessage {
  readonly status?: string;
  /** Line key: a layer's short id, or a tag. */
  readonly id?: string;
  /** Present, even if empty, on messages that belong to a line which is redrawn in place. */
  readonly progressDetail?: ProgressDetail;
  readonly progress?: string;
  /** Raw text with its own line ends (load, build). */
  readonly stream?: string;
  readonly error?: string;
  readonly errorDetail?: { readonly code?: number; readonly message: string };
  readonly aux?: unknown;
  /** Ours: what the user can do about `error`. */
  readonly hint?: string;
}

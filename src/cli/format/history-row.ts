import { ellipsis, humanSince, humanSize, shortId } from "./human.ts";
import type { RowFormat } from "./row-format.ts";

/** An element of `GET /images/{name}/history`. */
export interface HistoryEntry {
  readonly Id: string;
  /** Unix seconds. */
  readonly Created: number;
  readonly CreatedBy: string;
  readonly Size: number;
  readonly Comment: string;
}

export interface HistoryRowOptions {
  readonly truncate: boolean;
  readonly human: boolean;
  readonly nowMs: number;
}

export function historyRows({ truncate, human, nowMs }: HistoryRowOptions): RowFormat<HistoryEntry> {
  const created = human ? "CreatedSince" : "CreatedAt";
  return {
    columns: ["ID", created, "CreatedBy", "Size", "Comment"],
    fields: {
      ID: { header: "IMAGE", value: ({ Id }) => (truncate && Id !== "<missing>" ? shortId(Id) : Id) },
      CreatedSince: {
        header: "CREATED",
        value: ({ Created }) => (human ? since(Created, nowMs) : timeOf(Created)),
      },
      CreatedAt: {
        header: "CREATED AT",
        value: ({ Created }) => timeOf(Created),
      },
      CreatedBy: { header: "CREATED BY", value: ({ CreatedBy }) => createdBy(CreatedBy, truncate) },
      Size: { header: "SIZE", value: ({ Size }) => (human ? humanSize(Size, 3) : String(Size)) },
      Comment: { header: "COMMENT", value: ({ Comment }) => Comment },
    },
  };
}

const since = (created: number, nowMs: number): string => (created <= 0 ? "N/A" : humanSince(created, nowMs));

const timeOf = (created: number): string => new Date(created * 1000).toISOString().replace(/\.\d+/, "");

function createdBy(command: string, truncate: boolean): string {
  const oneLine = command.replaceAll("\t", " ");
  return truncate ? ellipsis(oneLine, 45) : oneLine;
}

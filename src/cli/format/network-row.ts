import { pairs } from "./container-row.ts";
import { shortId } from "./human.ts";
import type { RowFormat } from "./row-format.ts";

/** An element of `GET /networks`. */
export interface NetworkSummary {
  readonly Id: string;
  readonly Name: string;
  readonly Driver: string;
  readonly Scope: string;
  readonly Created: string;
  readonly Internal: boolean;
  readonly EnableIPv4?: boolean;
  readonly EnableIPv6: boolean;
  readonly Labels: Readonly<Record<string, string>> | null;
}

export function networkRows(truncate: boolean): RowFormat<NetworkSummary> {
  return {
    columns: ["ID", "Name", "Driver", "Scope"],
    raw: [
      ["network_id", "ID"],
      ["name", "Name"],
      ["driver", "Driver"],
      ["scope", "Scope"],
    ],
    fields: {
      ID: { header: "NETWORK ID", value: ({ Id }) => (truncate ? shortId(Id) : Id) },
      Name: { header: "NAME", value: ({ Name }) => Name },
      Driver: { header: "DRIVER", value: ({ Driver }) => Driver },
      Scope: { header: "SCOPE", value: ({ Scope }) => Scope },
      IPv4: { header: "IPV4", value: ({ EnableIPv4 = true }) => String(EnableIPv4) },
      IPv6: { header: "IPV6", value: ({ EnableIPv6 }) => String(EnableIPv6) },
      Internal: { header: "INTERNAL", value: ({ Internal }) => String(Internal) },
      Labels: { header: "LABELS", value: ({ Labels }) => pairs(Labels) },
      Label: {
        header: "LABEL",
        value:
          ({ Labels }) =>
          (name) =>
            Labels?.[String(name)] ?? "",
      },
      CreatedAt: { header: "CREATED AT", value: ({ Created }) => goTimestamp(Created) },
    },
  };
}

/** An RFC 3339 time in UTC as Go prints it: `2006-01-02 15:04:05.123 +0000 UTC`. */
const goTimestamp = (time: string) => time.replace("T", " ").replace(/Z$/, " +0000 UTC");

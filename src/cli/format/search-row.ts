import { ellipsis } from "./human.ts";
import type { RowFormat } from "./row-format.ts";

/** An element of `GET /images/search`. */
export interface SearchResult {
  readonly name: string;
  readonly description: string;
  readonly star_count: number;
  readonly is_official: boolean;
}

export function searchRows({ truncate }: { readonly truncate: boolean }): RowFormat<SearchResult> {
  return {
    columns: ["Name", "Description", "StarCount", "IsOfficial"],
    fields: {
      Name: { header: "NAME", value: ({ name }) => name },
      Description: {
        header: "DESCRIPTION",
        value: ({ description }) => {
          const line = description.replace(/[\r\n]/g, " ");
          return truncate ? ellipsis(line, 45) : line;
        },
      },
      StarCount: { header: "STARS", value: ({ star_count }) => String(star_count) },
      IsOfficial: {
        header: "OFFICIAL",
        value: ({ is_official }) => (is_official ? "[OK]" : ""),
        json: ({ is_official }) => String(is_official),
      },
    },
  };
}

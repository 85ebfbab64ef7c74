import { expect, test } from "bun:test";
import type { ProgressMessage } from "../../wire/progress.ts";
import { ProgressDisplay, progressText } from "./progress-display.ts";

const pull: ProgressMessage[] = [
  { status: "Pulling from library/busybox", id: "latest" },
  { status: "Pulling fs layer", progressDetail: {}, id: "aaa" },
  { status: "Pulling fs layer", progressDetail: {}, id: "bbb" },
  { status: "Downloading", progressDetail: { current: 500_000, total: 1_000_000 }, id: "aaa" },
  { status: "Pull complete", progressDetail: {}, id: "aaa" },
  { status: "Pull complete", progressDetail: {}, id: "bbb" },
  { status: "Digest: sha256:dd" },
  { aux: { Size: 1 } },
];

function show(messages: readonly ProgressMessage[], isTerminal: boolean): string {
  let text = "";
  const display = new ProgressDisplay({
    stream: {
      write(data) {
        text += Buffer.from(data).toString();
      },
    },
    isTerminal,
    columns: 200,
  });
  for (const message of messages) display.show(message);
  return text;
}

test("a pipe gets a line for each change of status", () => {
  expect(show(pull, false)).toBe(
    [
      "latest: Pulling from library/busybox",
      "aaa: Pulling fs layer",
      "bbb: Pulling fs layer",
      "aaa: Pull complete",
      "bbb: Pull complete",
      "Digest: sha256:dd",
      "",
    ].join("\n"),
  );
});

test("a terminal keeps a line for each layer", () => {
  expect(screenOf(show(pull.slice(0, 4), true))).toEqual([
    "latest: Pulling from library/busybox",
    `aaa: Downloading [${"=".repeat(25)}>${" ".repeat(25)}]    500kB/1MB`,
    "bbb: Pulling fs layer",
  ]);
  expect(screenOf(show(pull, true))).toEqual([
    "latest: Pulling from library/busybox",
    "aaa: Pull complete",
    "bbb: Pull complete",
    "Digest: sha256:dd",
  ]);
});

test("an error ends the stream", () => {
  expect(() => show([{ errorDetail: { message: "blob is cut" }, error: "blob is cut" }], true)).toThrow(
    "blob is cut",
  );
});

test("raw text is passed on as it is", () => {
  expect(show([{ stream: "Loaded image: busybox:latest\n" }], true)).toBe("Loaded image: busybox:latest\n");
});

test.each([
  [{}, 200, ""],
  [{ current: 2_345_000 }, 200, " 2.345MB"],
  [{ current: 5, total: 10 }, 80, "      5B/10B"],
  [{ current: 12, total: 10 }, 80, "     12B"],
  [{ current: 3, total: 0, units: "s" }, 80, "     3 s"],
  [{ current: 1, total: 2, hidecounts: true }, 80, ""],
])("%j on %p columns", (detail, columns, text) => expect(progressText(detail, columns)).toBe(text));

/** What a terminal shows after these bytes. */
function screenOf(bytes: string): string[] {
  const lines: string[] = [""];
  let row = 0;
  const esc = String.fromCharCode(27);
  const tokens = new RegExp(`${esc}\\[(\\d+)([ABK])|\\r|\\n|[^${esc}\\r\\n]+`, "g");
  for (const [token, count, code] of bytes.matchAll(tokens)) {
    if (code === "A") row -= Number(count);
    else if (code === "B") row += Number(count);
    else if (code === "K") lines[row] = "";
    else if (token === "\n") row++;
    else if (token !== "\r") lines[row] = token;
    while (lines.length <= row) lines.push("");
  }
  return lines.map((line) => line.trimEnd()).filter((line) => line !== "");
}

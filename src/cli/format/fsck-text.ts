import type { FsckFinding, FsckLine, FsckSummary } from "../../wire/fsck-report.ts";
import { humanSize } from "./human.ts";

/** A line of a check for people; "" for what only programs need. */
export function fsckText(line: FsckLine): string {
  if ("finding" in line) return findingText(line.finding, line.finding.severity.toUpperCase());
  if ("remaining" in line) return findingText(line.remaining, "REMAINS");
  if ("repair" in line) {
    const { what, outcome, detail } = line.repair;
    return `REPAIR   ${what}: ${outcome}${detail === undefined ? "" : `: ${detail}`}\n`;
  }
  return "summary" in line ? summaryText(line.summary) : "";
}

function findingText({ what, where, why, meaning, remedy }: FsckFinding, label: string): string {
  return [
    `${label.padEnd(8)} ${what}`,
    `  where    ${where}`,
    `  why      ${why}`,
    `  meaning  ${meaning}`,
    `  repair   ${remedy}`,
    "",
  ].join("\n");
}

function summaryText(summary: FsckSummary): string {
  const { blobs, blobBytes, images, layers, containers, problems, notices, lost } = summary;
  const looked = [
    `${count(blobs, "blob")} (${humanSize(blobBytes)})`,
    count(images, "image"),
    count(layers, "unpacked layer"),
    count(containers, "container"),
  ].join(", ");
  const result = problems === 0 ? "nothing is wrong" : count(problems, "problem");
  const noted = notices === 0 ? "" : `, ${count(notices, "notice")}`;
  const losses = lost.map((name) => `LOST     ${name}\n`).join("");
  return `${losses}${looked}: ${result}${noted}\n`;
}

const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? "" : "s"}`;

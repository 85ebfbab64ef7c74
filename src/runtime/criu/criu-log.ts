/**
 * Why criu failed, of what it wrote into its log: what the kernel lacks, or else the first error that names a cause. Later
 * ones, and those of programs that merely ended, follow from it; those before a lack are of probes that it can do without. Empty
 * when there is none. Pure.
 */
export function causeInCriuLog(text: string): string {
  const errors = text
    .split("\n")
    .flatMap((line) => /\bError \([^)]*\): (.*)$/.exec(line)?.[1]?.trim() ?? [])
    .filter((message) => message !== "");
  const lack = errors.find((message) => message.includes("failed when initializing kerndat"));
  return lack ?? errors.find((message) => !/^exited, status=|FAILED\.?$/.test(message)) ?? errors[0] ?? "";
}

/**
 * Why criu failed, of what it wrote into its log: the first error that names a cause. Later ones, and those of programs that
 * merely ended, follow from it. Empty when there is none. Pure.
 */
export function causeInCriuLog(text: string): string {
  const errors = text
    .split("\n")
    .flatMap((line) => /\bError \([^)]*\): (.*)$/.exec(line)?.[1]?.trim() ?? [])
    .filter((message) => message !== "");
  return errors.find((message) => !/^exited, status=|FAILED\.?$/.test(message)) ?? errors[0] ?? "";
}

/** `--cpus 1.5` → 1500000000 NanoCpus. Errors: Error when it is no decimal, or finer than a billionth. */
export function parseCpus(raw: string): number {
  const match = /^(\d*)(?:\.(\d*))?$/.exec(raw);
  const [, whole = "", fraction = ""] = match ?? [];
  if (match === null || whole + fraction === "")
    throw new Error(`failed to parse ${raw} as a rational number`);
  if (fraction.replace(/0+$/, "").length > 9) throw new Error("value is too precise");
  return Number(whole || "0") * 1e9 + Number(fraction.slice(0, 9).padEnd(9, "0"));
}

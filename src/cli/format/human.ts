/** Sizes and times as Docker words them. */

const decimalUnits = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
const binaryUnits = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

/** `1.24MB`: powers of 1000, `digits` significant ones. */
export function humanSize(bytes: number, digits = 4): string {
  return scaled(bytes, 1000, decimalUnits, digits);
}

/** `7.66GiB`: powers of 1024. */
export function humanBinarySize(bytes: number): string {
  return scaled(bytes, 1024, binaryUnits, 4);
}

function scaled(bytes: number, base: number, units: readonly string[], digits: number): string {
  let value = bytes;
  let unit = 0;
  while (rounded(value, digits) >= base && unit < units.length - 1) {
    value /= base;
    unit++;
  }
  return `${rounded(value, digits)}${units[unit]}`;
}

const rounded = (value: number, digits: number) =>
  value >= 10 ** digits ? value : Number(value.toPrecision(digits));

/** `About a minute`, `3 weeks`. */
export function humanDuration(seconds: number): string {
  const minutes = Math.trunc(seconds / 60);
  const hours = Math.trunc(seconds / 3600 + 0.5);
  if (seconds < 1) return "Less than a second";
  if (seconds < 2) return "1 second";
  if (seconds < 60) return `${Math.trunc(seconds)} seconds`;
  if (minutes === 1) return "About a minute";
  if (minutes < 60) return `${minutes} minutes`;
  if (hours === 1) return "About an hour";
  if (hours < 48) return `${hours} hours`;
  if (hours < 24 * 7 * 2) return `${Math.trunc(hours / 24)} days`;
  if (hours < 24 * 30 * 2) return `${Math.trunc(hours / 24 / 7)} weeks`;
  if (hours < 24 * 365 * 2) return `${Math.trunc(hours / 24 / 30)} months`;
  return `${Math.trunc(seconds / 3600 / 24 / 365)} years`;
}

/** From which age on, in seconds, `humanDuration` has other words than for `seconds`. */
export function humanDurationUntil(seconds: number): number {
  if (seconds < 1) return 1;
  if (seconds < 60) return nextMultiple(1, seconds);
  if (seconds < 3600) return nextMultiple(60, seconds);
  const hours = Math.trunc(seconds / 3600 + 0.5);
  const unit = unitsOfHours.find(({ below }) => hours < below);
  if (unit === undefined) return nextMultiple(3600 * 24 * 365, seconds);
  // Hours are rounded, so that each begins half an hour early.
  return (Math.min(nextMultiple(unit.hours, hours), unit.below) - 0.5) * 3600;
}

const nextMultiple = (unit: number, value: number) => (Math.trunc(value / unit) + 1) * unit;

/** Hours, days, weeks and months, each up to the age that is told in the next one. */
const unitsOfHours = [
  { hours: 1, below: 48 },
  { hours: 24, below: 24 * 7 * 2 },
  { hours: 24 * 7, below: 24 * 30 * 2 },
  { hours: 24 * 30, below: 24 * 365 * 2 },
];

/** `2 hours ago` */
export function humanSince(thenSeconds: number, nowMs: number): string {
  return `${humanDuration(nowMs / 1000 - thenSeconds)} ago`;
}

/** `2006-01-02 15:04:05 -0700 MST`, in local time, as Go prints a time. */
export function localTimestamp(seconds: number): string {
  const time = new Date(seconds * 1000);
  const two = (value: number) => String(value).padStart(2, "0");
  const date = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  const clock = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
  return `${date} ${clock} ${zoneOffset(time, "")} ${zoneName(time)}`;
}

/** `+0200`, or with a colon `+02:00`. */
export function zoneOffset(time: Date, separator: "" | ":"): string {
  const minutes = -time.getTimezoneOffset();
  const two = (value: number) => String(Math.trunc(value)).padStart(2, "0");
  return `${minutes < 0 ? "-" : "+"}${two(Math.abs(minutes) / 60)}${separator}${two(Math.abs(minutes) % 60)}`;
}

function zoneName(time: Date): string {
  if (time.getTimezoneOffset() === 0) return "UTC";
  const part = new Intl.DateTimeFormat("en-US", { timeZoneName: "short" })
    .formatToParts(time)
    .find(({ type }) => type === "timeZoneName")?.value;
  // Without a known abbreviation Go prints the offset again.
  return part === undefined || /[+-]/.test(part) ? zoneOffset(time, "") : part;
}

/** Cut to `length` characters, the last of them `…`. */
export function ellipsis(text: string, length: number): string {
  const letters = [...text];
  return letters.length <= length ? text : `${letters.slice(0, length - 1).join("")}…`;
}

/** 12 hex digits of an id or digest. */
export function shortId(id: string): string {
  return id.replace(/^[a-z0-9]+:/, "").slice(0, 12);
}

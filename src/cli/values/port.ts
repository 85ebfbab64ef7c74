/** Published ports. Spec: `[[ip:]hostPort:]containerPort[/proto]`, with ranges of equal length. */
export interface PortMapping {
  /** `80/tcp` */
  readonly containerPort: string;
  readonly hostIp: string;
  /** Empty: the engine picks one; `8000-8010`: one of these. */
  readonly hostPort: string;
}

interface Range {
  readonly first: number;
  readonly last: number;
}

/** One `-p` value, ranges spread out. Errors: Error with Docker's wording. */
export function parsePublish(raw: string): PortMapping[] {
  const [ports = "", protocol = "tcp", ...more] = raw.split("/");
  if (more.length > 0) throw new Error(`invalid port specification: ${raw}`);
  const { hostIp, host, container } = splitParts(ports);
  if (container === "") throw new Error(`no port specified: ${raw}<empty>`);
  const inside = parseRange(container, `invalid containerPort: ${container}`);
  const outside = host === "" ? undefined : parseRange(host, `invalid hostPort: ${host}`);
  const proto = checkProtocol(protocol);
  const length = inside.last - inside.first;
  if (outside !== undefined && outside.last - outside.first !== length && length > 0) {
    throw new Error(`invalid ranges specified for container and host Ports: ${container} and ${host}`);
  }
  return Array.from({ length: length + 1 }, (_, index) => ({
    containerPort: `${inside.first + index}/${proto}`,
    hostIp,
    hostPort: hostPortAt(outside, index, length),
  }));
}

/** One `--expose` value: `80`, `80-90/udp`. Out: `80/tcp`, … */
export function parseExpose(raw: string): string[] {
  const [ports = "", protocol = "tcp"] = raw.split("/");
  const range = parseRange(ports, `invalid range format for --expose: ${raw}`);
  const proto = checkProtocol(protocol);
  return Array.from(
    { length: range.last - range.first + 1 },
    (_, index) => `${range.first + index}/${proto}`,
  );
}

function splitParts(ports: string) {
  const bracket = /^\[([^\]]*)\]:(.*)$/.exec(ports);
  const parts = (bracket?.[2] ?? ports).split(":");
  const container = parts.pop() ?? "";
  const host = parts.pop() ?? "";
  const hostIp = bracket?.[1] ?? parts.join(":");
  if (hostIp !== "" && !isIp(hostIp)) throw new Error(`invalid IP address: ${hostIp}`);
  return { hostIp, host, container };
}

function hostPortAt(outside: Range | undefined, index: number, length: number): string {
  if (outside === undefined) return "";
  // A range outside for a single port inside leaves the choice to the engine.
  if (length === 0 && outside.last > outside.first) return `${outside.first}-${outside.last}`;
  return String(outside.first + index);
}

function parseRange(text: string, message: string): Range {
  const match = /^(\d+)(?:-(\d+))?$/.exec(text);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? match?.[1]);
  if (match === null || first > 65535 || last > 65535 || last < first) throw new Error(message);
  return { first, last };
}

function checkProtocol(protocol: string): string {
  const lower = protocol.toLowerCase();
  if (!["tcp", "udp", "sctp"].includes(lower)) throw new Error(`invalid proto: ${protocol}`);
  return lower;
}

/** A plain check of form; the engine resolves what is meant. */
export function isIp(text: string): boolean {
  return isIpv4(text) || (/^[0-9a-fA-F:.]+(%\w+)?$/.test(text) && text.split(":").length > 2);
}

function isIpv4(text: string): boolean {
  const parts = text.split(".");
  return parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255);
}

/**
 * The PORTS column: `0.0.0.0:8000-8002->8000-8002/tcp, 443/tcp, [::]:8080->80/tcp`. As with Docker, consecutive ports
 * of one address and protocol are joined when they have the same number on the host; ports with another number on the
 * host come last, one by one.
 */
export interface PortSummary {
  readonly IP?: string;
  readonly PrivatePort: number;
  readonly PublicPort?: number;
  readonly Type: string;
}

interface Run {
  readonly ip: string;
  readonly type: string;
  readonly first: number;
  last: number;
}

export function formatPorts(ports: readonly PortSummary[]): string {
  const sorted = [...ports].sort(byPort);
  const isMoved = ({ IP, PublicPort, PrivatePort }: PortSummary) => Boolean(IP) && PublicPort !== PrivatePort;
  const runs = joinRuns(sorted.filter((port) => !isMoved(port)));
  const moved = sorted.filter(isMoved);
  return [
    ...runs.map(formatRun),
    ...moved.map(
      ({ IP, PublicPort, PrivatePort, Type }) => `${host(IP ?? "")}:${PublicPort}->${PrivatePort}/${Type}`,
    ),
  ].join(", ");
}

function joinRuns(ports: readonly PortSummary[]): Run[] {
  const open: Run[] = [];
  const closed: Run[] = [];
  for (const { IP: ip = "", Type: type, PrivatePort: port } of ports) {
    const at = open.findIndex((run) => run.ip === ip && run.type === type);
    const run = open[at];
    if (run !== undefined && run.last + 1 === port) run.last = port;
    else {
      if (run !== undefined) closed.push(run);
      open.splice(at < 0 ? open.length : at, 1, { ip, type, first: port, last: port });
    }
  }
  return [...closed, ...open];
}

function byPort(a: PortSummary, b: PortSummary): number {
  return (
    a.PrivatePort - b.PrivatePort ||
    compareText(a.IP ?? "", b.IP ?? "") ||
    (a.PublicPort ?? 0) - (b.PublicPort ?? 0) ||
    compareText(a.Type, b.Type)
  );
}

const compareText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

function formatRun({ ip, type, first, last }: Run): string {
  const range = first === last ? `${first}` : `${first}-${last}`;
  return ip === "" ? `${range}/${type}` : `${host(ip)}:${range}->${range}/${type}`;
}

const host = (ip: string) => (ip.includes(":") ? `[${ip}]` : ip);

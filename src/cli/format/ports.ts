/** The PORTS column: `0.0.0.0:8000-8002->80-82/tcp, [::]:53->53/udp, 443/tcp`. */
export interface PortSummary {
  readonly IP?: string;
  readonly PrivatePort: number;
  readonly PublicPort?: number;
  readonly Type: string;
}

interface Run {
  readonly port: PortSummary;
  length: number;
}

/** Consecutive ports of one address and protocol are joined. */
export function formatPorts(ports: readonly PortSummary[]): string {
  const runs: Run[] = [];
  for (const port of [...ports].sort(byPort)) {
    const run = runs.findLast((each) => continues(each, port));
    if (run !== undefined) run.length++;
    else runs.push({ port, length: 1 });
  }
  return runs.map(formatRun).join(", ");
}

function byPort(a: PortSummary, b: PortSummary): number {
  return (
    a.PrivatePort - b.PrivatePort ||
    (a.IP ?? "").localeCompare(b.IP ?? "") ||
    (a.PublicPort ?? 0) - (b.PublicPort ?? 0) ||
    a.Type.localeCompare(b.Type)
  );
}

function continues({ port, length }: Run, next: PortSummary): boolean {
  const sameKind = port.Type === next.Type && port.IP === next.IP;
  const publicFits =
    port.PublicPort === undefined
      ? next.PublicPort === undefined
      : next.PublicPort === port.PublicPort + length;
  return sameKind && publicFits && next.PrivatePort === port.PrivatePort + length;
}

function formatRun({ port, length }: Run): string {
  const range = (first: number) => (length === 1 ? `${first}` : `${first}-${first + length - 1}`);
  const inside = `${range(port.PrivatePort)}/${port.Type}`;
  if (port.PublicPort === undefined) return inside;
  const ip = port.IP ?? "";
  const host = ip.includes(":") ? `[${ip}]` : ip;
  return `${host}:${range(port.PublicPort)}->${inside}`;
}

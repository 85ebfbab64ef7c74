/** Without the port, and without the brackets of an IPv6 address. */
export function hostName(host: string): string {
  const bracketed = /^\[(.*)\](?::\d+)?$/.exec(host);
  return bracketed?.[1] ?? host.replace(/:\d+$/, "");
}

export function isLoopback(name: string): boolean {
  return name === "localhost" || name === "::1" || /^127(?:\.\d{1,3}){3}$/.test(name);
}

const defaultPorts: Readonly<Record<string, number>> = { "https:": 443, "socks5:": 1080, "socks5h:": 1080 };

/** Of a server or a proxy. */
export function portOf({ port, protocol }: URL): number {
  return Number(port) || (defaultPorts[protocol] ?? 80);
}

import { isIp } from "./port.ts";

/** `--add-host name:ip` or `name=ip`; `host-gateway` stands for the host's address. Out: `name:ip`. */
export function checkExtraHost(raw: string): string {
  const match = /^([^:=]+)[:=](.+)$/.exec(raw);
  if (match?.[1] === undefined || match[2] === undefined) {
    throw new Error(`bad format for add-host: ${JSON.stringify(raw)}`);
  }
  const ip = match[2].replace(/^\[(.*)\]$/, "$1");
  if (ip !== "host-gateway" && !isIp(ip)) {
    throw new Error(`invalid IP address in add-host: ${JSON.stringify(match[2])}`);
  }
  return `${match[1]}:${ip}`;
}

export function checkDnsServer(raw: string): string {
  if (!isIp(raw.trim())) throw new Error(`IP address is not correctly formatted: ${raw}`);
  return raw.trim();
}

import type { NftChain, NftMap, NftMatch, NftRule, NftTable, NftVerdict } from "./ruleset.ts";

/** The table in nft's syntax, as `nft list table` prints it; pure. */
export function formatTable(table: NftTable): string {
  const blocks = [...table.maps.map(formatMap), ...table.chains.map(formatChain)];
  return `table ip ${table.name} {\n${blocks.join("\n\n")}\n}\n`;
}

function formatMap(map: NftMap): string {
  const elements = map.elements.map(({ key, value }) => `${key.join(" . ")} : ${value.join(" . ")}`);
  const lines = [
    `\tmap ${map.name} {`,
    `\t\ttype ${map.key.join(" . ")} : ${map.value.join(" . ")}`,
    ...(elements.length === 0 ? [] : [`\t\telements = { ${elements.join(",\n\t\t\t     ")} }`]),
    "\t}",
  ];
  return lines.join("\n");
}

const priorityNames: Readonly<Record<number, string>> = {
  [-300]: "raw",
  [-100]: "dstnat",
  0: "filter",
  100: "srcnat",
};

function formatChain(chain: NftChain): string {
  const lines = [`\tchain ${chain.name} {`];
  if (chain.base) {
    const { type, hook, priority } = chain.base;
    // nft knows the name dstnat at prerouting only.
    const named = priority === -100 && hook !== "prerouting" ? undefined : priorityNames[priority];
    lines.push(`\t\ttype ${type} hook ${hook} priority ${named ?? priority}; policy accept;`);
  }
  return [...lines, ...chain.rules.map((rule) => `\t\t${formatRule(rule)}`), "\t}"].join("\n");
}

function formatRule(rule: NftRule): string {
  const parts = [...rule.matches.map(formatMatch), formatVerdict(rule.verdict)];
  return `${parts.join(" ")} comment "${rule.reason}"`;
}

function formatMatch(match: NftMatch): string {
  switch (match.field) {
    case "iifname":
    case "oifname":
      return `${match.field} ${match.op === "==" ? "" : "!= "}"${match.value}"`;
    case "ip saddr":
    case "ip daddr":
      return `${match.field} ${match.op === "==" ? "" : "!= "}${match.value}`;
    case "ct state":
    case "ct status":
      return `${match.field} ${match.words.join(",")}`;
    case "fib daddr type":
      return `${match.field} ${match.value}`;
  }
}

function formatVerdict(verdict: NftVerdict): string {
  if (verdict.verb === "jump") return `jump ${verdict.chain}`;
  if (verdict.verb === "dnat") return `dnat ip to ${verdict.key.join(" . ")} map @${verdict.map}`;
  return verdict.verb;
}

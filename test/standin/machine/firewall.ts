import { attempt, run } from "../../../tools/command.ts";
import { linkOf } from "./network.ts";
import type { FirewallRule } from "./spec.ts";
import { namespaceOf } from "./world.ts";

/** Puts a server's firewall in front of it, in one step per address family; what has been let in goes on. */
export async function applyFirewall(world: string, name: string, rules: readonly FirewallRule[]): Promise<void> {
  const router = namespaceOf(world, "router");
  for (const family of ["ipv4", "ipv6"] as const) {
    const tables = family === "ipv4" ? "iptables" : "ip6tables";
    await run("the firewall of a stand-in server", "nsenter", [`--net=/run/netns/${router}`, `${tables}-restore`, "--noflush"], {
      input: renderFirewall(linkOf(name), rules, family),
    });
    const jump = ["FORWARD", "--out-interface", linkOf(name), "--jump", linkOf(name)];
    const inRouter = (...args: string[]): string[] => [`--net=/run/netns/${router}`, tables, ...args];
    if (!(await attempt("nsenter", inRouter("--check", ...jump))).isFine)
      await run("the firewall of a stand-in server", "nsenter", inRouter("--append", ...jump));
  }
}

/** Takes a server's firewall away. */
export async function removeFirewall(world: string, name: string): Promise<void> {
  const chain = linkOf(name);
  for (const tables of ["iptables", "ip6tables"]) {
    for (const change of [
      ["--delete", "FORWARD", "--out-interface", chain, "--jump", chain],
      ["--flush", chain],
      ["--delete-chain", chain],
    ])
      await attempt("nsenter", [`--net=/run/netns/${namespaceOf(world, "router")}`, tables, ...change]);
  }
}

/** Rules of Hetzner's firewall as `iptables-restore` reads them: stateful, and what no rule lets in is dropped. Outbound rules are refused: nothing here would hold them. */
export function renderFirewall(chain: string, rules: readonly FirewallRule[], family: "ipv4" | "ipv6"): string {
  const allowed = rules.flatMap(({ direction, protocol, port, sourceIps }) => {
    if (direction === "out") throw new Error(`the stand-in's firewall holds inbound rules only; found an outbound one for ${protocol}`);
    const match = protocol === "icmp" ? ["-p", family === "ipv4" ? "icmp" : "ipv6-icmp"] : ["-p", protocol];
    const ports = port === undefined || port === "any" ? [] : ["--dport", port.replace("-", ":")];
    const sources = sourceIps.filter((source) => source.includes(":") === (family === "ipv6"));
    return sources.map((source) => ["-A", chain, "-s", source, ...match, ...ports, "-j", "ACCEPT"].join(" "));
  });
  return [
    "*filter",
    `:${chain} - [0:0]`,
    `-A ${chain} -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT`,
    ...allowed,
    `-A ${chain} -j DROP`,
    "COMMIT",
    "",
  ].join("\n");
}

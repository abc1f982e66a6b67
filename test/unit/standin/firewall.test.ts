import { expect, it } from "vitest";

import { renderFirewall } from "../../standin/machine/firewall.ts";

const RULES = [
  { direction: "in", protocol: "tcp", port: "22", sourceIps: ["198.51.100.0/24", "2001:db8::/32"] },
  { direction: "in", protocol: "udp", port: "80-85", sourceIps: ["0.0.0.0/0"] },
  { direction: "in", protocol: "tcp", port: "any", sourceIps: ["::/0"] },
  { direction: "in", protocol: "icmp", sourceIps: ["0.0.0.0/0", "::/0"] },
] as const;

/** The rules between what is let through because it has been before, and the end. */
function allowed(family: "ipv4" | "ipv6"): string[] {
  const lines = renderFirewall(
    "chain",
    RULES.map(({ sourceIps, ...rule }) => ({ ...rule, sourceIps: [...sourceIps] })),
    family,
  ).split("\n");
  expect([lines.slice(0, 3), lines.slice(-3)]).toEqual([
    ["*filter", ":chain - [0:0]", "-A chain -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT"],
    ["-A chain -j DROP", "COMMIT", ""],
  ]);
  return lines.slice(3, -3);
}

it("lets in what a rule names, each address family by its own sources", () => {
  expect(allowed("ipv4")).toEqual([
    "-A chain -s 198.51.100.0/24 -p tcp --dport 22 -j ACCEPT",
    "-A chain -s 0.0.0.0/0 -p udp --dport 80:85 -j ACCEPT",
    "-A chain -s 0.0.0.0/0 -p icmp -j ACCEPT",
  ]);
  expect(allowed("ipv6")).toEqual([
    "-A chain -s 2001:db8::/32 -p tcp --dport 22 -j ACCEPT",
    "-A chain -s ::/0 -p tcp -j ACCEPT",
    "-A chain -s ::/0 -p ipv6-icmp -j ACCEPT",
  ]);
});

it("refuses rules that it would not hold", () => {
  expect(() => renderFirewall("chain", [{ direction: "out", protocol: "tcp", port: "25", sourceIps: [] }], "ipv4")).toThrow("inbound rules only");
});

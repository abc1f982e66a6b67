import { describe, expect, it } from "vitest";

import { findExposedByEntry, findExposedByHost, findExposedBySettings } from "../../plan/exposure.ts";
import type { PlannedHost } from "../../plan/host.ts";
import type { Settings } from "../../plan/settings.ts";
import { Tenant, type TenantInput } from "../../tenants/schema.ts";
import { hetznerHost, hetznerSettings, OPERATOR_KEY, plan, plannedHost, running, tenant } from "../support/fleet.ts";

const entry = (over: Partial<TenantInput>): Tenant => Tenant.parse(tenant(over));

/** What one version of a server lets in that another did not. */
function opened(before: Parameters<typeof hetznerHost>[0], after: Parameters<typeof hetznerHost>[0], dns: { before?: object; after?: object } = {}): string[] {
  const version = (host: Parameters<typeof hetznerHost>[0], zone: object = {}): { settings: Settings; host: PlannedHost } => {
    const settings = hetznerSettings({ hosts: { "host-1": hetznerHost(host) }, dns: { zoneId: "0123456789abcdef".repeat(2), ...zone } });
    return { settings, host: plannedHost(plan([], { settings, ...running() }), "host-1") };
  };
  const [was, is] = [version(before, dns.before), version(after, dns.after)];
  return findExposedByHost(was.host, is.host, { before: was.settings, after: is.settings });
}

describe("an entry", () => {
  it("exposes more by every part that is new, and less by none", () => {
    expect(findExposedByEntry(entry({ expose: ["hooks"] }), entry({ expose: ["api", "controlUi", "hooks"] }))).toEqual([
      "`acme` exposes more: `api` and `controlUi` can be called from outside",
    ]);
    expect(findExposedByEntry(entry({ expose: ["api", "hooks"] }), entry({ expose: ["hooks"] }))).toEqual([]);
  });

  it("exposes more by a webhook, and by a bot that anybody may write to", () => {
    const open = entry({ telegram: { mode: "webhook", dmPolicy: "open", allowFrom: ["*"], groupPolicy: "open" } });
    const lines = [
      "`acme` exposes more: Telegram's webhook can be called from outside",
      "everybody may write to the bot of `acme`",
      "everybody may write to the bot of `acme` in groups",
    ];
    expect(findExposedByEntry(entry({ telegram: {} }), open)).toEqual(lines);
    expect(findExposedByEntry(open, open)).toEqual([]);
    expect(findExposedByEntry(open, entry({}))).toEqual([]);
  });
});

describe("a server's port 22", () => {
  const sshFrom = ["203.0.113.0/24", "2001:db8::/64"];

  it("is said to open for ranges that were not within another", () => {
    expect(opened({ sshFrom }, { sshFrom: ["203.0.113.7/32", "2001:db8::/64"] })).toEqual([]);
    expect(opened({ sshFrom }, { sshFrom: ["203.0.112.0/23", "2001:db8::/48"] })).toEqual([
      "`host-1` lets more addresses knock at its ssh: `203.0.112.0/23` and `2001:db8::/48`",
    ]);
  });

  it("is said to open once the tailnet is no longer the way", () => {
    const tailscale = { address: "host-1.example.ts.net" };
    expect(opened({ tailscale, sshFrom }, { sshFrom: ["203.0.113.0/24"] })).toEqual(["`host-1` lets more addresses knock at its ssh: `203.0.113.0/24`"]);
    expect(opened({ sshFrom }, { tailscale, sshFrom: ["0.0.0.0/0"] })).toEqual([]);
  });
});

describe("a server behind Cloudflare", () => {
  it("is said to lose it", () => {
    expect(opened({}, {}, { before: { originPulls: true }, after: { proxied: false } })).toEqual([
      "Cloudflare stands no longer in front of `host-1`: everybody may connect, and its address is in the DNS",
    ]);
    expect(opened({}, {}, { before: { proxied: false } })).toEqual([]);
  });

  it("is said to admit Cloudflare's other customers", () => {
    expect(opened({}, {}, { before: { originPulls: true } })).toEqual(["`host-1` admits calls of all of Cloudflare's customers, not of this zone alone"]);
    expect(opened({}, {}, { after: { originPulls: true } })).toEqual([]);
  });
});

describe("settings", () => {
  it("let in whoever has a key that is new, under whatever name", () => {
    const other = OPERATOR_KEY.replace("IdbL", "AAAA");
    const to = (operators: Record<string, string>): string[] => findExposedBySettings(hetznerSettings(), hetznerSettings({ operators }));
    expect(to({ ann: other })).toEqual(["`ann` may log in to every server with a key that is new"]);
    expect(to({ anna: OPERATOR_KEY })).toEqual([]);
  });

  it("send traces to a collector that is new, whose credentials are not told", () => {
    expect(findExposedBySettings(hetznerSettings(), hetznerSettings({ otlpEndpoint: "https://ann:secret@collector.example.net/secret" }))).toEqual([
      "traces and metrics of all tenants go to `collector.example.net`",
    ]);
  });
});

import { describe, expect, it } from "vitest";

import { findExposedByHost, findExposedBySettings, findExposedByTenant } from "../../plan/exposure.ts";
import type { PlannedHost, PlannedTenant } from "../../plan/host.ts";
import type { Settings } from "../../plan/settings.ts";
import type { TenantInput } from "../../tenants/schema.ts";
import { hetznerHost, hetznerSettings, OPERATOR_KEY, plan, plannedHost, running, tenant } from "../support/fleet.ts";

/** What one version of a tenant lets in that another did not; without another, what a new one does. */
function exposed(before: Partial<TenantInput> | undefined, after: Partial<TenantInput>): string[] {
  const secrets = { acme: ["TELEGRAM_BOT_TOKEN", "TELEGRAM_WEBHOOK_SECRET"] };
  const planned = (over: Partial<TenantInput>): PlannedTenant => {
    const [one] = plan([tenant({ host: "server", ...over })], { secrets }).hosts.flatMap(({ tenants }) => tenants);
    if (one === undefined) throw new Error("it is on no host");
    return one;
  };
  return findExposedByTenant(before === undefined ? undefined : planned(before), planned(after));
}

/** What one version of a server lets in that another did not. */
function opened(before: Parameters<typeof hetznerHost>[0], after: Parameters<typeof hetznerHost>[0], dns: { before?: object; after?: object } = {}): string[] {
  const version = (host: Parameters<typeof hetznerHost>[0], zone: object = {}): { settings: Settings; host: PlannedHost } => {
    const settings = hetznerSettings({ hosts: { "host-1": hetznerHost(host) }, dns: { zoneId: "0123456789abcdef".repeat(2), ...zone } });
    return { settings, host: plannedHost(plan([], { settings, ...running() }), "host-1") };
  };
  const [was, is] = [version(before, dns.before), version(after, dns.after)];
  return findExposedByHost(was.host, is.host, { before: was.settings, after: is.settings });
}

describe("a tenant", () => {
  const open: Partial<TenantInput> = { telegram: { mode: "webhook", dmPolicy: "open", allowFrom: ["*"], groupPolicy: "open" } };
  const lines = [
    "`acme` exposes more: Telegram's webhook can be called from outside",
    "everybody may write to `acme` by `telegram`",
    "everybody may write to `acme` in groups of `telegram`",
  ];

  it("exposes more by every part that is new, and less by none", () => {
    expect(exposed({ expose: ["hooks"] }, { expose: ["api", "controlUi", "hooks"] })).toEqual([
      "`acme` exposes more: `api` and `controlUi` can be called from outside",
    ]);
    expect(exposed({ expose: ["api", "hooks"] }, { expose: ["hooks"] })).toEqual([]);
  });

  it("exposes more by a webhook, and by a bot that anybody may write to", () => {
    expect(exposed({ telegram: {} }, open)).toEqual(lines);
    expect(exposed(open, open)).toEqual([]);
    expect(exposed(open, {})).toEqual([]);
  });

  it("that is new is said to let in whom its description does not name", () => {
    expect(exposed(undefined, { ...open, expose: ["api"] })).toEqual(lines);
    expect(exposed(undefined, { expose: ["api"] })).toEqual([]);
  });

  it("exposes nothing while it is suspended, and all of it once it runs again", () => {
    expect(exposed({}, { ...open, expose: ["api"], status: "suspended" })).toEqual([]);
    expect(exposed({ ...open, expose: ["api"], status: "suspended" }, { ...open, expose: ["api"] })).toEqual([
      "`acme` exposes more: `api` can be called from outside",
      ...lines,
    ]);
  });

  it("is opened by its own config as well", () => {
    expect(exposed({}, { config: { channels: { discord: { dmPolicy: "open", allowFrom: ["*"] } } } })).toEqual(["everybody may write to `acme` by `discord`"]);
    expect(exposed({ telegram: {} }, { telegram: { groupPolicy: "allowlist", groupAllowFrom: ["*"] } })).toEqual([
      "everybody may write to `acme` in groups of `telegram`",
    ]);
  });
});

describe("a server's port 22", () => {
  const sshFrom = ["203.0.113.0/24", "2001:db8::/64"];

  it("is said to open for ranges that were not within another", () => {
    expect(opened({ sshFrom }, { sshFrom: ["203.0.113.7/32", "2001:db8::/64"] })).toEqual([]);
    expect(opened({ sshFrom: ["::/0"] }, { sshFrom: ["2001:db8::/32"] })).toEqual([]);
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
    expect(to({ ann: OPERATOR_KEY.replace("ann@laptop", "ann@desk") })).toEqual([]);
  });

  it("that join servers to a private network are said to let their tenants in, until they are built anew", () => {
    const network = { ipRange: "10.20.0.0/24", zone: "eu-central" } as const;
    const to = (host: object): string[] =>
      findExposedBySettings(hetznerSettings(), hetznerSettings({ hetzner: { network }, hosts: { "host-1": hetznerHost(host) } }));
    expect(to({})).toEqual(["the tenants of `host-1` can reach what listens in the private network, until their servers are built anew"]);
    expect(to({ rebuild: "again", protected: false })).toEqual([]);
  });

  it("send traces to a collector that is new, whose credentials are not told", () => {
    expect(findExposedBySettings(hetznerSettings(), hetznerSettings({ otlpEndpoint: "https://ann:secret@collector.example.net/secret" }))).toEqual([
      "traces and metrics of all tenants go to `collector.example.net`",
    ]);
  });
});

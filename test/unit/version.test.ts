import { describe, expect, it } from "vitest";

import { NO_KEYS } from "../../plan/changed-keys.ts";
import type { Settings } from "../../plan/settings.ts";
import { after, asItIs, planVersion, type VersionInput } from "../../plan/version.ts";
import type { TenantInput } from "../../tenants/schema.ts";
import { fleetInput, hetznerHost, hetznerSettings, mistakesOf, tenant } from "../support/fleet.ts";

const server = hetznerHost();
const onServers = (hosts: Record<string, typeof server>): Settings => hetznerSettings({ hosts });
const acme = tenant({ host: "host-1" });

function version(tenants: readonly TenantInput[], of: Settings = onServers({ "host-1": server })): VersionInput {
  const { stack, settings: parsed, secrets, library, seeds } = fleetInput(tenants, { settings: of });
  return { stack, tenants, settings: parsed, secrets, keys: NO_KEYS, library, seeds };
}

/** What is refused when one follows the other. */
function refused(before: VersionInput | undefined, later: VersionInput): string[] {
  return mistakesOf(() => planVersion(after(later, before)));
}

describe("a version that is there already", () => {
  it("is planned although its secrets, its moves and its adoptions were an earlier update's matter", () => {
    const list = [{ ...acme, telegram: {}, env: ["NOTION_API_KEY"], adopt: true, moveFrom: "host-2" }];
    const { tenants, fleet } = planVersion(asItIs(version(list, onServers({ "host-1": server, "host-2": server }))));
    expect(tenants.map(({ id }) => id)).toEqual(["acme"]);
    expect(fleet.hosts.map(({ machine }) => machine?.isRebuilding)).toEqual([false, false]);
  });

  it("has joined the tailnet that its settings name", () => {
    const joined = onServers({ "host-1": hetznerHost({ tailscale: { address: "host-1.example.ts.net" } }) });
    expect(planVersion(asItIs(version([acme], joined))).tenants).toHaveLength(1);
    expect(planVersion(after(version([acme], joined), version([acme]))).tenants).toHaveLength(1);
    expect(refused(undefined, version([acme], joined))).toEqual([expect.stringContaining("a new server is in no tailnet yet") as string]);
  });

  it("is still refused when it cannot be planned", () => {
    expect(mistakesOf(() => planVersion(asItIs(version([{ ...acme, port: 80 }]))))).toHaveLength(1);
  });
});

describe("a version that follows", () => {
  it("is held against nobody's stock, for nobody asked", () => {
    expect(planVersion(after(version([acme]), undefined)).tenants).toHaveLength(1);
  });

  it("lacks no secret unseen", () => {
    expect(refused(undefined, version([{ ...acme, telegram: {} }]))).toEqual([expect.stringContaining("needs the secret TELEGRAM_BOT_TOKEN") as string]);
  });

  it("finds tenants where they were, also those that can no longer be read", () => {
    const both = onServers({ "host-1": server, "host-2": server });
    const moved = version([{ ...acme, host: "host-2" }], both);
    expect(refused(version([{ ...acme, port: 80 }], both), moved)).toEqual([expect.stringContaining('tenant "acme" has its data on host "host-1"') as string]);
    expect(planVersion(after(version([{ ...acme, host: "host-2", moveFrom: "host-1" }], both), version([acme], both))).tenants).toHaveLength(1);
  });

  it("finds servers as the settings before ordered them", () => {
    const now = version([], onServers({ "host-1": server }));
    const later = (over: Parameters<typeof hetznerHost>[0]): VersionInput => version([], onServers({ "host-1": hetznerHost(over) }));
    expect(refused(now, later({ dataGb: 50 }))).toEqual([expect.stringContaining("its data volume has 100 GB") as string]);
    expect(refused(now, later({ location: "nbg1" }))).toEqual([expect.stringContaining("its server and its data are in fsn1") as string]);
    expect(refused(now, later({ rebuild: "again" }))).toEqual([expect.stringContaining("the host is protected") as string]);
    const { fleet } = planVersion(after(later({ rebuild: "again", protected: false }), later({ protected: false })));
    expect(fleet.hosts.map(({ machine }) => machine?.isRebuilding)).toEqual([true]);
  });
});

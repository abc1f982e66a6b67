import { describe, expect, it } from "vitest";

import { UserError } from "../../lib/errors.ts";
import { NO_CLOUD, type Cloud } from "../../plan/cloud.ts";
import type { Settings } from "../../plan/settings.ts";
import { readCloud } from "../../stack/cloud.ts";
import { hetznerSettings, settings } from "../support/fleet.ts";
import { record } from "../support/record.ts";

const labels = { "openclaw-tenants.stack": "prod", "openclaw-tenants.role": "host", "openclaw-tenants.host": "host-1" };
const server = { name: "openclaw-prod-host-1", serverType: "cx43", location: "fsn1", deleteProtection: true, labels };
const volume = { name: "openclaw-prod-host-1", size: 100, labels };
const type = {
  name: "cx43",
  cores: 8,
  memory: 16,
  architecture: "x86",
  locations: [
    { name: "fsn1", available: true, isDeprecated: false, recommended: true },
    { name: "nbg1", available: false, isDeprecated: true, recommended: false },
  ],
};

/** Reads the accounts of stack "prod" when they say this; `asked` is what they were asked. */
async function read(
  from: Settings,
  { servers = [server], volumes = [volume], serverTypes = [type] as object[] }: { servers?: object[]; volumes?: object[]; serverTypes?: object[] } = {},
): Promise<{ cloud: Cloud; asked: [string, unknown][] }> {
  const asked: [string, unknown][] = [];
  const answers: Record<string, Record<string, unknown>> = {
    "cloudflare:index/getIpRanges:getIpRanges": { ipv4Cidrs: ["173.245.48.0/20"], ipv6Cidrs: ["2400:cb00::/32"] },
    "hcloud:index/getServers:getServers": { servers },
    "hcloud:index/getVolumes:getVolumes": { volumes },
    "hcloud:index/getServerTypes:getServerTypes": { serverTypes },
  };
  const calls = Object.fromEntries(
    Object.entries(answers).map(([token, answer]) => [
      token,
      (args: Record<string, unknown>) => {
        asked.push([token.split(":").at(-1) ?? "", args]);
        return answer;
      },
    ]),
  );
  const { value } = await record(() => readCloud("prod", from), { calls });
  return { cloud: await value, asked };
}

/** What reading the accounts of stack "prod" fails with when a call ends like this. */
async function readRefused(words: string): Promise<unknown> {
  const refuse = (): never => {
    // Where gRPC has what the engine said.
    throw Object.assign(new Error(words), { details: words });
  };
  const { value } = await record(() => readCloud("prod", { ...hetznerSettings(), dns: undefined }).catch((error: unknown) => error), {
    calls: { "hcloud:index/getServers:getServers": refuse },
  });
  return await value;
}

describe("the accounts", () => {
  it("are asked nothing for hosts of the operator's own", async () => {
    expect(await read(settings())).toEqual({ cloud: NO_CLOUD, asked: [] });
  });

  it("are asked for Cloudflare's addresses alone where only Cloudflare stands in front", async () => {
    const hosts = { own: { kind: "docker", memoryMb: 8192, cpus: 4, edge: { public: true, tls: "origin" } } } as const;
    const { cloud, asked } = await read(settings({ hosts, dns: hetznerSettings().dns }));
    expect(cloud).toEqual({ ...NO_CLOUD, proxyRanges: ["173.245.48.0/20", "2400:cb00::/32"] });
    expect(asked.map(([token]) => token)).toEqual(["getIpRanges"]);
  });

  it("are not asked for Cloudflare's addresses where it does not stand in front", async () => {
    const { cloud, asked } = await read({ ...hetznerSettings(), dns: undefined });
    expect(cloud.proxyRanges).toEqual([]);
    expect(asked.map(([token]) => token).toSorted()).toEqual(["getServerTypes", "getServers", "getVolumes"]);
  });

  it("are asked for this stack's own servers and volumes, by their labels", async () => {
    const { asked } = await read(hetznerSettings());
    const withSelector = "openclaw-tenants.stack=prod,openclaw-tenants.role=host";
    expect(asked).toContainEqual(["getServers", expect.objectContaining({ withSelector })]);
    expect(asked).toContainEqual(["getVolumes", expect.objectContaining({ withSelector })]);
  });

  it("say how each host's server runs, and how large its data volume is", async () => {
    const other = { ...labels, "openclaw-tenants.host": "host-2", "openclaw-tenants.rebuild": "2026-12-24" };
    const { cloud } = await read(hetznerSettings(), {
      servers: [server, { ...server, name: "openclaw-prod-host-2", serverType: "cax31", location: "nbg1", deleteProtection: false, labels: other }],
      volumes: [{ ...volume, size: 50, labels: { ...labels, "openclaw-tenants.host": "host-3" } }, volume],
    });
    expect(cloud.servers).toEqual({
      "host-1": { serverType: "cx43", location: "fsn1", isProtected: true, rebuild: undefined, dataGb: 100 },
      "host-2": { serverType: "cax31", location: "nbg1", isProtected: false, rebuild: "2026-12-24", dataGb: undefined },
    });
  });

  it("say what is sold where, in the plan's own units", async () => {
    const arm = { ...type, name: "cax11", cores: 2, memory: 4, architecture: "arm", locations: [] };
    const { cloud } = await read(hetznerSettings(), { serverTypes: [type, arm] });
    expect(cloud.offers?.[0]).toEqual({
      name: "cx43",
      cores: 8,
      memoryMb: 16_384,
      architecture: "x86",
      isDeprecated: false,
      locations: [
        { name: "fsn1", available: true, isDeprecated: false },
        { name: "nbg1", available: false, isDeprecated: true },
      ],
    });
    expect(cloud.offers?.[1]).toMatchObject({ name: "cax11", cores: 2, memoryMb: 4096, architecture: "arm" });
  });

  it("that refuse an answer are told of in plain words, with the way out", async () => {
    // As the engine says it.
    const words = "invocation of hcloud:index/getServers:getServers returned an error: unable to authenticate (unauthorized)";
    const error = await readRefused(words);
    expect(error).toBeInstanceOf(UserError);
    expect(error).toMatchObject({
      message: words,
      hint: "set the token: pulumi config set --stack prod --secret hcloud:token; an API that is down answers later",
    });
  });

  it("are not blamed for a bug", async () => {
    expect(await readRefused("x is not a function")).not.toBeInstanceOf(UserError);
  });

  it("say of a type that it is withdrawn once it is so everywhere", async () => {
    const withdrawn = { ...type, locations: type.locations.map((place) => ({ ...place, isDeprecated: true })) };
    const { cloud } = await read(hetznerSettings(), { serverTypes: [type, withdrawn] });
    expect(cloud.offers?.map(({ isDeprecated }) => isDeprecated)).toEqual([false, true]);
  });
});

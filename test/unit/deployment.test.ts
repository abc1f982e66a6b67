import { describe, expect, it } from "vitest";

import { existing, type Exported, type Resource, withCreated } from "../../tools/deployment.ts";

const SERVER = "urn:pulumi:prod::openclaw-tenants::hcloud:index/server:Server::host-1-server";
const volume: Resource = { urn: "urn:pulumi:prod::openclaw-tenants::hcloud:index/volume:Volume::host-1-data", type: "hcloud:index/volume:Volume", id: "1003" };
const planned: Resource = {
  urn: SERVER,
  type: "hcloud:index/server:Server",
  parent: "urn:pulumi:prod::openclaw-tenants::openclaw:index:HetznerHost::host-1",
  inputs: { name: "openclaw-prod-host-1", publicNets: [{ ipv4: 1004 }], userData: "[secret]" },
  protect: true,
};
const inputs = { name: "openclaw-prod-host-1", publicNets: [{ ipv4: 1004 }] };

function state(...resources: Resource[]): Exported {
  return { version: 3, deployment: { secrets_providers: { type: "passphrase" }, resources, pending_operations: [{ type: "creating", resource: planned }] } };
}

describe("a server that was created and not recorded", () => {
  const server = existing(planned, "1005");
  const created = new Map([[SERVER, server]]);

  it("is recorded with all that was asked for, but for secrets that the plan does not tell", () => {
    expect(server).toEqual({ ...planned, id: "1005", inputs, outputs: inputs });
  });

  it("comes after what it depends on, and the rest of the state stays as it is", () => {
    expect(withCreated(state(volume), created)).toEqual({
      version: 3,
      deployment: { secrets_providers: { type: "passphrase" }, resources: [volume, server], pending_operations: [] },
    });
  });

  it("takes the place of one that was deleted for it, before what depends on that", () => {
    const old: Resource = { ...planned, id: "1001", pendingReplacement: true };

    expect(withCreated(state(old, volume), created).deployment.resources).toEqual([server, volume]);
  });

  it("leaves one that is still there to be deleted by the next update", () => {
    const old: Resource = { ...planned, id: "1001" };

    expect(withCreated(state(old, volume), created).deployment.resources).toEqual([server, volume, { ...old, delete: true }]);
  });
});

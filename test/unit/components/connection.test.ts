import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";

import { dockerCommand, providerArgs } from "../../../components/connection.ts";
import { sshArgs, strictOptions } from "../../../lib/ssh.ts";
import { valueOf } from "../../support/record.ts";

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAGvJo8AhqzxcRNR37xaC7W";
const server = { ssh: { address: pulumi.output("203.0.113.7"), hostKey: pulumi.output(hostKey) } };
const args = ["update", "--pids-limit", "256", "it's"];

describe("docker's own client", () => {
  it("goes where DOCKER_HOST says when nobody says otherwise", async () => {
    expect(await dockerCommand({ endpoint: undefined }, args)).toEqual(["docker", args]);
  });

  it("goes to the endpoint of an operator's own", async () => {
    const endpoint = "ssh://root@server.example.com";
    expect(await dockerCommand({ endpoint }, args)).toEqual(["docker", ["--host", endpoint, ...args]]);
  });

  it("runs on a server of ours, quoted for its shell, and believes its host key alone", async () => {
    expect(await dockerCommand(server, args)).toEqual(["ssh", sshArgs({ address: "203.0.113.7", hostKey }, ["docker", ...args])]);
  });
});

describe("the provider", () => {
  it("goes the same three ways", async () => {
    expect(providerArgs({ endpoint: undefined })).toEqual({});
    expect(providerArgs({ endpoint: "unix:///run/docker.sock" })).toEqual({ host: "unix:///run/docker.sock" });
    expect(await valueOf(providerArgs(server))).toEqual({ host: "ssh://deploy@203.0.113.7", sshOpts: strictOptions(hostKey) });
  });
});

import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";

import { runJob } from "../../../components/containers.ts";
import { record } from "../../support/record.ts";

/** What an output is made of; each part rejects when the output does. Source: @pulumi/pulumi, output.ts. */
interface Parts {
  promise: () => Promise<unknown>;
  isKnown: Promise<boolean>;
  isSecret: Promise<boolean>;
  allResources: () => Promise<unknown>;
}

/** Runs a job that ends like this and says what came of it: the error, or undefined. */
async function runEnding(exitCode: number, containerLogs: string): Promise<unknown> {
  const build = (): Promise<unknown> => {
    const { done } = runJob("job", { name: "job", image: "image" }, (words) => `tenant "acme" says ${words}`, {});
    const parts = done as unknown as Parts;
    const all = [parts.promise(), parts.isKnown, parts.isSecret, parts.allResources()];
    return Promise.allSettled(all).then(([first]) => (first?.status === "rejected" ? (first.reason as unknown) : undefined));
  };
  const { value } = await record(build, { "docker:index/container:Container": () => ({ exitCode, containerLogs }) });
  return value;
}

describe("a job", () => {
  it("is done when it exits with 0", async () => {
    expect(await runEnding(0, "fine")).toBeUndefined();
  });

  it("fails the update with its last words when it does not, and tells how to run it again", async () => {
    const error = await runEnding(3, "another tenant's data\n");
    expect(error).toBeInstanceOf(pulumi.RunError);
    expect((error as Error).message).toMatch(
      /^tenant "acme" says another tenant's data\nto run it again unchanged: pulumi up --replace 'urn:pulumi:test::.*::job'$/,
    );
  });
});

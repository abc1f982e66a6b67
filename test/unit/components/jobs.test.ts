import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";

import { runJob } from "../../../components/containers.ts";
import { failureOf } from "../../support/record.ts";

/** Runs a job that ends like this and says what came of it: the error, or undefined. */
async function runEnding(exitCode: number, containerLogs: string): Promise<unknown> {
  return failureOf(() => runJob("job", { name: "job", image: "image" }, (words) => `tenant "acme" says ${words}`, {}).done, {
    over: { "docker:index/container:Container": () => ({ exitCode, containerLogs }) },
  });
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

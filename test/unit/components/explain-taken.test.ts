import * as pulumi from "@pulumi/pulumi";
import { afterEach, beforeEach, describe, expect, it, type MockInstance, vi } from "vitest";

import { explainTaken } from "../../../components/explain-taken.ts";
import { hetznerSettings, tenant } from "../../support/fleet.ts";
import { recordFleet } from "../../support/record-fleet.ts";
import { record } from "../../support/record.ts";

let said: MockInstance<typeof pulumi.log.error>;

beforeEach(() => {
  said = vi.spyOn(pulumi.log, "error").mockResolvedValue();
});

afterEach(() => {
  said.mockRestore();
});

/** What is said when a server cannot be made for this reason, and whether it is tried again. */
async function whenRefused(reason: string): Promise<{ again: unknown; words: unknown[] }> {
  const { value: transform } = await record(() => explainTaken("prod"));
  const { opts } = transform({ type: "hcloud:index/server:Server", name: "host-1-server", props: {}, opts: {} } as never) ?? expect.fail();
  const [hook] = opts.hooks?.onError ?? [];
  const again = await hook?.callback({ name: "host-1-server", errors: [reason] } as never);
  return { again, words: said.mock.calls.map(([words]) => words) };
}

describe("what an account has already", () => {
  it.each(["server name is already used (uniqueness_error, 6a1e)", "volume is attached (volume_already_attached)", '{"code":81058}'])(
    "is said to be there, with the way on: %s",
    async (reason) => {
      expect(await whenRefused(reason)).toEqual({
        again: false,
        words: [expect.stringMatching(/^host-1-server is in the account and not in the state: .*`npm run recover -- --stack prod`/)],
      });
    },
  );

  it("is not blamed for anything else", async () => {
    expect(await whenRefused("error during placement (resource_unavailable)")).toEqual({ again: false, words: [] });
  });

  it("is looked for in everything that is made in an account, and in nothing else", async () => {
    const { resources } = await recordFleet([tenant({ host: "host-1" })], { settings: hetznerSettings() });
    const watched = resources.filter(({ options }) => options.onError.includes("taken"));
    const inAccounts = resources.filter(({ type }) => /^(hcloud|cloudflare):/.test(type));
    expect(watched).toEqual(inAccounts);
    expect(new Set(watched.map(({ type }) => type.split(":")[0]))).toEqual(new Set(["hcloud", "cloudflare"]));
  });
});

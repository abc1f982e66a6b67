import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { z } from "zod";

import { type Keys, NO_KEYS } from "../../plan/changed-keys.ts";
import { compareVersions } from "../../plan/compare.ts";
import type { Settings } from "../../plan/settings.ts";
import { asItIs, planVersion, type Version } from "../../plan/version.ts";
import { renderComment } from "../../templates/comment.ts";
import type { Comparison } from "../../templates/comparison.ts";
import { renderPlanText } from "../../templates/plan-text.ts";
import type { TenantInput } from "../../tenants/schema.ts";
import { roomy, tenantLists } from "../support/arbitraries.ts";
import { fleetInput, hetznerHost, hetznerSettings, house, OPERATOR_KEY, settings, tenant } from "../support/fleet.ts";

const ARGS = { stack: "test", base: "main", pricesSeen: "2026-10-02" };
/** Every run plans two fleets. */
const RUNS = { numRuns: 40 };
const SAME_PROGRAM = { files: [], configFiles: undefined };

const versionOf = (tenants: readonly TenantInput[], of: Settings = roomy, keys: Keys = NO_KEYS): Version =>
  planVersion(asItIs({ ...fleetInput(tenants, { settings: of }), keys }));

function compare(before: Version, after: Version): Comparison {
  return compareVersions({ before, after, program: SAME_PROGRAM });
}

/** Two lists of which each may have what the other lacks. */
const pairs = fc.tuple(tenantLists, fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 12, maxLength: 12 })).map(([all, sides]) => {
  const list = all.map(({ skills, ...entry }) => ({ ...entry, skills: { ...skills, author: false, authored: false } }));
  const marked = list.map((entry, index) => ({ entry, side: sides[index] }));
  return [marked.filter(({ side }) => side !== 1), marked.filter(({ side }) => side !== 2)].map((part) => part.map(({ entry }) => entry)) as [
    TenantInput[],
    TenantInput[],
  ];
});

describe("any version", () => {
  it("changes nothing when it follows itself", () => {
    fc.assert(
      fc.property(tenantLists, (list) => {
        const { summary, warnings, tenants, settings: fields, interrupted, hosts } = compare(versionOf(list), versionOf(structuredClone(list)));
        expect({ summary, warnings, tenants, fields, interrupted }).toEqual({
          summary: ["Nothing that runs in `test` changes."],
          warnings: [],
          tenants: [],
          fields: [],
          interrupted: [],
        });
        for (const { before, after } of hosts) expect(after).toEqual(before);
      }),
      RUNS,
    );
  });

  it("is the same whatever the order of its entries", () => {
    fc.assert(
      fc.property(pairs, ([some, others]) => {
        const there = compare(versionOf(some), versionOf(others));
        expect(compare(versionOf(some.toReversed()), versionOf(others.toReversed()))).toEqual(there);
      }),
      RUNS,
    );
  });

  it("is mirrored by the way back: who comes goes, and every figure changes sides", () => {
    fc.assert(
      fc.property(pairs, ([some, others]) => {
        const [there, back] = [compare(versionOf(some), versionOf(others)), compare(versionOf(others), versionOf(some))];
        const idsOf = ({ tenants }: Comparison, kind: string): string[] => tenants.filter((each) => each.kind === kind).map(({ id }) => id);
        expect(idsOf(back, "removed")).toEqual(idsOf(there, "added"));
        expect(idsOf(back, "added")).toEqual(idsOf(there, "removed"));
        expect(back.hosts.map(({ before, after }) => [after, before])).toEqual(there.hosts.map(({ before, after }) => [before, after]));
        // A removal is always told, and nobody else is touched by it.
        for (const id of idsOf(there, "removed"))
          expect(there.warnings.map(({ text }) => text)).toContainEqual(expect.stringContaining(`\`${id}\` is removed`));
        expect([there.interrupted, back.interrupted]).toEqual([[], []]);
      }),
      RUNS,
    );
  });

  it("never shows what could be a secret, nor lets a name out of its place", () => {
    const canary = "canary0123456789abcdef";
    const keys = fc.constantFrom("apiKey", "botToken", "level", "responsePrefix", "a");
    fc.assert(
      fc.property(tenantLists, keys, fc.string(), (list, key, name) => {
        const model = { primary: "house/small", providers: { house: { ...house, baseUrl: `https://ann:${canary}@llm.example.com/${canary}?key=${canary}` } } };
        const after = list.map((entry): TenantInput => ({
          ...entry,
          name: `x${name}`,
          model,
          // In a place where the plan does not look for credentials, as in one where it does.
          config: { messages: { [key]: key.endsWith("y") || key.endsWith("n") ? "${HOUSE}" : canary }, logging: { level: "info" } },
        }));
        const later = {
          ...versionOf(list),
          tenants: versionOf(list).tenants.map((each) => ({ ...each, ...after.find(({ id }) => id === each.id) })),
        } as Version;
        const comparison = compareVersions({
          before: versionOf(list),
          after: { ...later, settings: { ...roomy, otlpEndpoint: `https://ann:${canary}@example.com/${canary}` } },
          program: SAME_PROGRAM,
        });
        const comment = renderComment(ARGS, comparison);
        for (const text of [JSON.stringify(comparison), comment, renderPlanText(ARGS, comparison)]) expect(text).not.toContain(canary);
        const [head = "", , ...rows] = comment.split("\n").slice(comment.split("\n").indexOf("**Tenants**") + 2);
        const cells = (row: string): number => row.replaceAll("\\|", "").split("|").length;
        for (const row of rows.slice(0, list.length)) expect(cells(row)).toBe(cells(head));
      }),
      RUNS,
    );
  });
});

describe("a restart", () => {
  const [acme, globex] = [tenant({ host: "server" }), tenant({ id: "globex", port: 18802, host: "server" })];
  const before = versionOf([acme, globex], settings());
  const after = (over: Partial<z.input<typeof Settings>>, ...list: TenantInput[]): Comparison =>
    compare(before, versionOf(list.length === 0 ? [acme, globex] : list, settings(over)));
  const notices = ({ warnings }: Comparison): string[] => warnings.map(({ text }) => text);

  it("that no entry asks for is told with its reason", () => {
    expect(notices(after({ subnetPool: "10.215.0.0/17" }))).toEqual(["`acme` and `globex` restart although their entries do not change: another network"]);
    expect(after({ subnetPool: "10.215.0.0/17" }).interrupted).toEqual(["acme", "globex"]);
  });

  it("does not come of the time that a start may take, nor of how long sockets stay open", () => {
    const { warnings, interrupted, summary } = after({ startTimeoutSeconds: 300, streamCloseDelaySeconds: 60 });
    expect([warnings, interrupted]).toEqual([[], []]);
    expect(summary[0]).toBe("This change sets `streamCloseDelaySeconds` and `startTimeoutSeconds`.");
  });

  it("does not come of memory alone, nor of what OpenClaw takes while it runs", () => {
    expect(after({}, { ...acme, limits: { memoryMb: 3072 } }, globex).interrupted).toEqual([]);
    expect(after({}, { ...acme, config: { logging: { level: "debug" } } }, globex).interrupted).toEqual([]);
    expect(after({}, { ...acme, limits: { pids: 512 } }, globex).interrupted).toEqual(["acme"]);
    expect(after({}, { ...acme, env: ["NOTION_API_KEY"] }, globex).interrupted).toEqual(["acme"]);
  });

  it("that the entry asks for is told there and nowhere else", () => {
    const { tenants, warnings } = after({}, { ...acme, env: [], skills: { bundled: ["weather"] } }, globex);
    expect(tenants).toEqual([
      { id: "acme", name: "Acme Plumbing", kind: "changed", what: "restarts", fields: [{ field: "skills.bundled", before: undefined, after: "weather" }] },
    ]);
    expect(warnings).toEqual([]);
  });

  it("of a suspended tenant is none", () => {
    const asleep = versionOf([{ ...acme, status: "suspended" }], settings());
    const { warnings, interrupted } = compare(asleep, versionOf([{ ...acme, status: "suspended" }], settings({ subnetPool: "10.215.0.0/17" })));
    expect([warnings, interrupted]).toEqual([[], []]);
  });

  it("that only the program brings is told with the files that bring it", () => {
    const program = {
      files: ["templates/openclaw.json5"],
      configFiles: {
        acme: "openclaw-of-old.json",
        globex: before.fleet.hosts.flatMap(({ tenants }) => tenants).find(({ id }) => id === "globex")?.configFile.file ?? "",
      },
    };
    const { warnings, interrupted } = compareVersions({ before, after: before, program });
    expect(interrupted).toEqual(["acme"]);
    expect(warnings).toEqual([
      {
        level: "notice",
        text: "the program itself changes in `templates/openclaw.json5`: `acme` restarts, because it writes another openclaw.json. What it does otherwise, only the engine's preview shows",
      },
    ]);
  });
});

describe("warnings", () => {
  it("begin with what is dangerous", () => {
    const caddyImage = `caddy:2.11.5@sha256:${"d".repeat(64)}`;
    const { warnings } = compare(versionOf([tenant()], settings()), versionOf([], settings({ caddyImage })));
    expect(warnings.map(({ level }) => level)).toEqual(["danger", "notice", "notice"]);
  });
});

describe("a host", () => {
  const docker = (over: object = {}): object => ({ kind: "docker", memoryMb: 8192, cpus: 4, ...over });
  const on = (server: object, over: Partial<z.input<typeof Settings>> = {}): Version =>
    versionOf([tenant({ host: "server" })], settings({ hosts: { server } as never, ...over }));

  it("that is reached at another address is said to get nothing made anew there", () => {
    const at = (endpoint: string): Version => on(docker({ endpoint, edge: { public: true } }));
    const { warnings, summary, interrupted } = compare(at("ssh://ann@one.example.com"), at("ssh://ann@two.example.com"));
    expect(warnings).toEqual([
      {
        level: "danger",
        text: "`server` is reached at another address, and nothing that was made is made again there: if it is another machine, add a host for it instead, and move `acme`",
      },
    ]);
    expect(summary[0]).toBe("This change sets `hosts.server.endpoint`.");
    expect(interrupted).toEqual([]);
  });

  it("that becomes another machine is said to start its tenants empty, and what becomes of the server that it was", () => {
    const hetzner = on(hetznerHost(), { operators: { ann: OPERATOR_KEY } });
    const { warnings, summary, interrupted } = compare(hetzner, on(docker(), { operators: { ann: OPERATOR_KEY } }));
    expect(warnings.slice(0, 2).map(({ text }) => text)).toEqual([
      "`server` becomes another machine. Their data stays behind, and they start empty: `acme`",
      expect.stringMatching(/^`server` goes: its server and the disk in it are deleted\. It is protected/) as string,
    ]);
    expect(summary[0]).toContain("puts another machine in the place of `server`");
    expect(interrupted).toEqual(["acme"]);
  });

  it("that is opened to the world is loud about it", () => {
    const at = (isPublic: boolean): Version =>
      versionOf([tenant()], settings({ hosts: { laptop: { kind: "docker", memoryMb: 8192, cpus: 4, edge: { public: isPublic } } } }));
    const texts = compare(at(false), at(true)).warnings.map(({ text }) => text);
    expect(texts).toContain("`laptop` becomes public: the world may connect to `acme`");
    expect(compare(at(true), at(false)).warnings.map(({ text }) => text)).not.toContainEqual(expect.stringContaining("becomes public"));
  });
});

describe("a name at Cloudflare", () => {
  const acme = tenant({ host: "host-1" });
  const of = (dns: object | undefined, host = "host-1"): Version =>
    versionOf(
      [{ ...acme, host, ...(host === "host-1" ? {} : { moveFrom: "host-1" }) }],
      hetznerSettings({
        hosts: { "host-1": hetznerHost(), desk: { kind: "docker", memoryMb: 8192, cpus: 4, edge: { public: true, tls: "acme" } } },
        dns: dns as never,
      }),
    );
  const zone = { zoneId: "0123456789abcdef".repeat(2) };
  const dangers = (before: Version, after: Version): string[] =>
    compare(before, after).warnings.flatMap(({ level, text }) => (level === "danger" ? [text] : []));
  const lost = "at Cloudflare `acme.example.com` is deleted, and whoever calls by that finds nobody unless you make it elsewhere";

  it("is said to go when the zone is taken out, and nothing is said of an address that nobody publishes", () => {
    expect(dangers(of(zone), of(undefined))).toEqual(["Cloudflare stands no longer in front of `host-1`: everybody may connect", lost]);
    expect(dangers(of(undefined), of(zone))).toEqual([]);
  });

  it("is said to go, and Cloudflare with it, when its tenant moves to a host whose names are made by hand", () => {
    expect(dangers(of(zone), of(zone, "desk"))).toEqual([lost, "`acme` moves to a host that the world may connect to, past Cloudflare"]);
  });

  it("is said to change its zone", () => {
    expect(dangers(of(zone), of({ zoneId: "f".repeat(32) }))).toEqual([
      "all names go to another zone at Cloudflare, and those in the zone before are deleted: nobody is found until that one is asked",
    ]);
  });
});

describe("a move", () => {
  it("of the tenant that authors skills is said to leave them behind", () => {
    const host = { kind: "docker", memoryMb: 8192, cpus: 4 } as const;
    const on = (over: Partial<TenantInput>): Version =>
      versionOf(
        [tenant({ host: "alpha", skills: { author: true }, ...over })],
        settings({ hosts: { alpha: host, beta: { ...host, endpoint: "ssh://ann@beta.example.com" } } }),
      );
    expect(compare(on({}), on({ host: "beta", moveFrom: "alpha" })).warnings).toEqual([
      { level: "danger", text: "what `acme` has authored stays on `alpha`, and it starts with none on `beta`" },
    ]);
  });
});

describe("an image", () => {
  it("of somebody else is never taken for a newer one", () => {
    const evil = `evil.example/openclaw:2026.9.7@sha256:${"e".repeat(64)}`;
    const at = (over: object): Version => versionOf([tenant({ host: "server" }), tenant({ id: "globex", port: 18802, host: "server" })], settings(over));
    const text = "OpenClaw of `acme` and `globex` comes from somebody else: from `evil.example/openclaw` instead of `openclaw/openclaw`";
    expect(compare(at({}), at({ image: evil })).warnings).toContainEqual({ level: "danger", text });
    expect(compare(at({}), at({ image: evil })).settings).toContainEqual(
      expect.objectContaining({ field: "image", after: "evil.example/openclaw:2026.9.7 (eeeeeee)" }),
    );
    expect(compare(at({}), at({ caddyImage: `evil.example/caddy:2.11.4@sha256:${"e".repeat(64)}` })).warnings).toContainEqual({
      level: "danger",
      text: "Caddy comes from somebody else: from `evil.example/caddy` instead of `caddy`",
    });
    expect(compare(versionOf([], settings()), versionOf([tenant({ host: "server", image: evil })], settings())).warnings).toContainEqual(
      expect.objectContaining({ level: "danger" }),
    );
  });
});

describe("what a stack's file holds beside the settings", () => {
  const keys = (secret: string, config: Keys["config"] = {}, encryption = "salt"): Keys => ({
    config,
    secrets: { acme: { A_KEY: secret, UNUSED: secret } },
    encryption,
  });
  const list = [tenant({ host: "server", env: ["A_KEY"] })];
  const of = (of: Keys): Version => versionOf(list, settings(), of);

  it("restarts whoever gets another value of a secret", () => {
    const { summary, warnings, interrupted } = compare(of(keys("one")), of(keys("two")));
    expect(summary.slice(0, 2)).toEqual(["This change sets `A_KEY` and `UNUSED` of `acme` anew.", "`acme` is interrupted, nobody else."]);
    expect(warnings).toEqual([{ level: "notice", text: "`acme` restarts although its entry does not change: another value of `A_KEY`" }]);
    expect(interrupted).toEqual(["acme"]);
  });

  it("cannot be compared once it is encrypted otherwise, and says so", () => {
    const { warnings, interrupted } = compare(of(keys("one")), of(keys("two", {}, "another salt")));
    expect(warnings).toEqual([
      { level: "notice", text: "secrets are encrypted otherwise than before: which of them are new, only the engine's preview shows" },
    ]);
    expect(interrupted).toEqual([]);
  });

  it("may send the engine, and its tokens with it, to somebody else", () => {
    const { warnings, settings: fields, summary } = compare(of(keys("one")), of(keys("one", { "hcloud:endpoint": "1", "hcloud:token": "2" })));
    expect(warnings).toEqual([
      { level: "danger", text: "the engine is set up otherwise by `hcloud:endpoint`: whoever it calls by that is shown this stack's tokens" },
    ]);
    expect(fields).toEqual([
      { field: "hcloud:endpoint", before: undefined, after: "set" },
      { field: "hcloud:token", before: undefined, after: "set" },
    ]);
    expect(summary[0]).toBe("This change sets `hcloud:endpoint` and `hcloud:token`.");
  });
});

describe("a long comment", () => {
  it("is cut at what GitHub takes, and says so", () => {
    const many = Array.from({ length: 1_000 }, (_, index) => tenant({ id: `tenant-${index}`, port: 18_801 + index, name: "&".repeat(80) }));
    const comment = renderComment(ARGS, compare(versionOf([]), versionOf(many)), { isComplete: true, shares: [], steps: [] });
    expect(comment.length).toBeLessThanOrEqual(65_536);
    expect(comment).toMatch(/\| `tenant-\d+`.*\|\n\n\*\*Cut here, because GitHub takes no more: `npm run plan` shows all of it\.\*\*\n$/);
    expect(comment).toMatch(/^<!-- openclaw-tenants plan test -->\n/);
  });

  it("is closed where it was folded", () => {
    const shares = Array.from({ length: 3_000 }, (_, index) => ({
      owner: `tenant \`tenant-${index}\``,
      created: 1,
      updated: 0,
      replaced: 0,
      deleted: 0,
      kept: 0,
    }));
    const comment = renderComment(ARGS, compare(versionOf([]), versionOf([])), { isComplete: true, shares, steps: [] });
    expect(comment.length).toBeLessThanOrEqual(65_536);
    expect(comment.split("<details>")).toHaveLength(2);
    expect(comment.split("</details>")).toHaveLength(2);
  });
});

import { readdirSync } from "node:fs";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { TenantInput } from "../../tenants/schema.ts";
import { findServerLack } from "../standin/machine/lack.ts";
import { createRepositoryOf, type Edit, type Repository } from "../support/actions/pull-requests.ts";
import { type JobRun, runWorkflow } from "../support/actions/run-job.ts";
import { type CloudProject, createCloudProject, HOST, TOKENS } from "../support/cloud-project.ts";
import { describeWhere } from "../support/levels.ts";
import { findMachine } from "../support/machine.ts";
import { buildStandIn } from "../support/standin-image.ts";

const { missing, local } = findMachine();
const goldens = join(import.meta.dirname, "..", "golden", "expected", "pull-requests");
const LABEL = "protected-may-go";
const CRM_KEY = "crm-key-of-acme-0123456789";

const client = (id: string, host: string, port: number, more: Partial<TenantInput> = {}): TenantInput => ({
  id,
  name: `Client ${id}`,
  host,
  port,
  size: "small",
  ...more,
});
const hooli = client("hooli", "host-1", 18_804, { name: "Hooli Bikes" });
const adding = (...more: TenantInput[]): Edit => ({ tenants: (all) => [...all, ...more] });
const changing = (id: string, more: object): Edit => ({ tenants: (all) => all.map((each) => (each.id === id ? { ...each, ...more } : each)) });
const writing = (file: string, text: string): Edit => ({ files: { [file]: (before) => `${before}${text}` } });

/** How the jobs end, in their order. */
const ENDS = {
  previewed: { plan: "success", tell: "success", preview: "success", "tell-preview": "success", guard: "success" },
  guarded: { plan: "success", tell: "success", preview: "success", "tell-preview": "success", guard: "failure" },
  stopped: { plan: "success", tell: "success", preview: "failure", "tell-preview": "success", guard: "failure" },
  elsewhere: { plan: "success", tell: "success", preview: "skipped", "tell-preview": "skipped", guard: "success" },
  refused: { plan: "failure", tell: "success", preview: "skipped", "tell-preview": "skipped", guard: "failure" },
} as const;
const WORDS = {
  clear: "nothing protected is replaced or deleted",
  refused: "::error::the plan refuses this change, or could not be made: see its comment, else its log",
  stopped: "::error::no whole preview by the engine: the log of the job preview says why",
} as const;

/**
 * GitHub, the accounts and OpenClaw are stood in for; the steps of the workflow, git, gh, jq, the engine and its state are real. There is one fleet,
 * and no pull request changes it.
 */
describeWhere("a pull request (stand-in for OpenClaw)", missing ?? findServerLack(), () => {
  let project: CloudProject;
  let repository: Repository;
  /** What nobody may read anywhere. */
  let secrets: string[];
  let state: string;
  let last = 0;
  const compared: string[] = [];

  const commentsOn = (number: number): string[] => (repository.github.comments[number] ?? []).map(({ body }) => body);
  const endsOf = (runs: Record<string, JobRun>): Record<string, string> => Object.fromEntries(Object.entries(runs).map(([id, { result }]) => [id, result]));
  const wordOf = (runs: Record<string, JobRun>): string => runs["guard"]?.log.trim() ?? "";
  /** Which run it was, and what the image was built from, is not the claim. */
  const expectGolden = async (name: string, text = ""): Promise<void> => {
    compared.push(`${name}.md`);
    await expect(text.replace(/(?<=runs\/)\d+/, "1").replaceAll(/(?<=-image-)[0-9a-f]{12}/g, "0".repeat(12))).toMatchFileSnapshot(join(goldens, `${name}.md`));
  };
  /** Pushes to a pull request, a new one if none is named, and runs its workflow. Whatever comes of it, no secret is seen, so that none had to be starred. */
  const push = async (
    edit: Edit,
    { number = ++last, ...options }: { number?: number; isFork?: boolean } = {},
  ): Promise<{ number: number; runs: Record<string, JobRun> }> => {
    await repository.push(number, edit);
    const runs = await repository.preview(number, options);
    const seen = JSON.stringify([runs, repository.github.comments, repository.github.issues]);
    // Not toContain: a failure would print it.
    expect([...secrets, "***"].filter((secret) => seen.includes(secret)).length, "secrets that can be read").toBe(0);
    return { number, runs };
  };

  beforeAll(async () => {
    if (local === undefined) return;
    project = await createCloudProject({ image: await buildStandIn(local), hasMachines: true });
    project.writeHosts({ "host-1": {}, "host-2": { serverType: "cx23", protected: false } });
    repository = await createRepositoryOf(project);
    const pulumi = async (...args: string[]): Promise<string> => {
      const { exitCode, output, stdout } = await repository.pulumi(...args, "--stack", "prod");
      expect(exitCode, output).toBe(0);
      return stdout;
    };
    await repository.pulumi("stack", "init", "prod");
    await pulumi("config", "set", "--secret", "--path", "openclaw-tenants:secrets.acme.CRM_KEY", CRM_KEY);
    const acme = client("acme", "host-1", 18_801, { env: ["CRM_KEY"], expose: ["controlUi"] });
    await repository.commit(adding(acme, client("globex", "host-1", 18_802), client("initech", "host-2", 18_803)));
    await pulumi("up", "--yes", "--skip-preview");
    state = await pulumi("stack", "export");
    const tokens = JSON.parse(await pulumi("stack", "output", "tokens", "--json", "--show-secrets")) as Record<string, Record<string, string>>;
    secrets = [
      CRM_KEY,
      project.env["PULUMI_CONFIG_PASSPHRASE"] ?? "",
      ...[...Object.values(TOKENS), ...Object.values(tokens)].flatMap((each) => Object.values(each)),
    ];
    expect(secrets.length).toBe(12);
  });
  afterAll(async () => {
    repository.dispose();
    await project.dispose();
  });

  it.each<[name: string, edit: Edit]>([
    ["changes-a-tenant", changing("globex", { size: "standard", expose: ["hooks"] })],
    ["removes-a-tenant", { tenants: (all) => all.filter(({ id }) => id !== "initech") }],
    ["suspends-a-tenant", changing("acme", { status: "suspended" })],
  ])("is previewed by the engine: %s", async (name, edit) => {
    const { number, runs } = await push(edit);
    expect([endsOf(runs), wordOf(runs)]).toEqual([ENDS.previewed, WORDS.clear]);
    await expectGolden(name, commentsOn(number)[0]);
  });

  it.each<[name: string, edit: Edit]>([
    ["overfills-a-host", adding({ ...hooli, size: "large" })],
    ["breaks-the-list", { tenants: (all) => [...all.map((each) => ({ ...each, port: 18_801 })), { ...hooli, size: "huge", telegramm: {} } as never] }],
    ["breaks-the-file", writing("tenants/prod.ts", "};\n")],
  ])("is refused by the plan, and the engine is not asked: %s", async (name, edit) => {
    const { number, runs } = await push(edit);
    expect([endsOf(runs), wordOf(runs)]).toEqual([ENDS.refused, WORDS.refused]);
    await expectGolden(name, commentsOn(number)[0]);
  });

  it("passes without the engine when nothing of it reaches the fleet", async () => {
    const { number, runs } = await push(writing("README.md", "\nWhom to call at night: Ann.\n"));
    expect([endsOf(runs), wordOf(runs)]).toEqual([ENDS.elsewhere, "nothing of this reaches the fleet"]);
    await expectGolden("edits-documents", commentsOn(number)[0]);
  });

  it("has one comment: first the plan, then the preview in its place, and the same one after a second push", async () => {
    const number = ++last;
    const { comments, writes } = repository.github;
    const foreign = { id: 900, user: { type: "User" as const }, body: "<!-- openclaw-tenants plan prod -->\nmine" };
    comments[number] = [foreign];
    const from = writes.length;
    const { runs } = await push(adding(hooli), { number });

    expect(endsOf(runs)).toEqual(ENDS.previewed);
    const [, own] = comments[number];
    const [post, patch] = [
      `POST /repos/agency/openclaw-tenants/issues/${number}/comments`,
      `PATCH /repos/agency/openclaw-tenants/issues/comments/${own?.id ?? 0}`,
    ];
    expect(writes.slice(from)).toEqual([post, patch]);
    expect(runs["plan"]?.outputs["comment"]).not.toContain("own account");
    await expectGolden("adds-a-tenant", own?.body);

    await push(changing("hooli", { size: "standard", status: "suspended" }), { number });
    expect(writes.slice(from)).toEqual([post, patch, patch, patch]);
    await expectGolden("adds-a-tenant-otherwise", own?.body);
    expect(comments[number]).toEqual([foreign, own]);
    expect(foreign.body).toBe("<!-- openclaw-tenants plan prod -->\nmine");
  });

  it("has no comment that does not tell its kind: any bot's would be edited", async () => {
    const github = { repository: "agency/openclaw-tenants", event: { pull_request: { number: 1 } } };
    const runner = { workspace: "", env: { PATH: project.env["PATH"] ?? "" } };
    for (const body of ["", "\n<!-- openclaw-tenants plan prod -->", "Hello"])
      expect((await runWorkflow("comment", { github, inputs: { body } }, runner))["comment"]).toMatchObject({
        result: "failure",
        log: expect.stringContaining("::error::the comment does not tell its kind\n") as string,
      });
  });

  it("that replaces what is protected needs the label, and the guard alone to run again", async () => {
    const { number, runs } = await push({ hosts: ({ "host-2": host = {}, ...rest }) => ({ ...rest, "host-2": { ...host, rebuild: "again" } }) });
    const loss = 'the server of "host-2" ("host-2-server") is replaced';
    expect(endsOf(runs)).toEqual(ENDS.guarded);
    expect(wordOf(runs)).toBe(`${loss}\n::error::what is protected goes only with the label ${LABEL}: set it, then run this job again`);
    await expectGolden("rebuilds-a-server", commentsOn(number)[0]);

    // What GitHub keeps back is not taken for nothing.
    const { preview = never("preview") } = runs;
    const keptBack = await repository.preview(number, { again: { job: "guard", earlier: { ...runs, preview: { ...preview, outputs: {} } } } });
    expect(wordOf(keptBack)).toMatch(/^what it is cannot be told\n::error::/);

    repository.github.labels[number] = [`${LABEL}-not`, "wontfix"];
    expect((await repository.preview(number, { again: { job: "guard", earlier: runs } }))["guard"]?.result).toBe("failure");
    repository.github.labels[number].push(LABEL);
    const again = await repository.preview(number, { again: { job: "guard", earlier: runs } });
    expect([endsOf(again), wordOf(again)]).toEqual([ENDS.previewed, `${loss}\nthe label ${LABEL} allows it`]);
    expect(again["preview"]).toBe(runs["preview"]);
  });

  it("that the engine alone can refuse says why in its log", async () => {
    const { number, runs } = await push({ hosts: (hosts) => ({ ...hosts, "host-3": { ...HOST, serverType: "cpx52" } }) });
    expect([endsOf(runs), wordOf(runs)]).toEqual([ENDS.stopped, WORDS.stopped]);
    expect(runs["preview"]?.log).toContain('host "host-3", field serverType "cpx52": Hetzner has no such type; fsn1 has ');
    await expectGolden("is-refused-by-the-engine", commentsOn(number)[0]);
  });

  describe("of a fork", () => {
    const nothingElse = { tell: "skipped", preview: "skipped", "tell-preview": "skipped" };

    it("has its plan in the summary of the run, no comment, and no way past the guard", async () => {
      const { number, runs } = await push(adding(hooli), { isFork: true });
      expect(endsOf(runs)).toEqual({ plan: "success", ...nothingElse, guard: "failure" });
      expect(wordOf(runs)).toBe("::error::no preview by the engine: a fork's change gets one on a branch of this repository");
      expect(commentsOn(number)).toEqual([]);
      await expectGolden("comes-from-a-fork", runs["plan"]?.summary);
    });

    it("passes when nothing of it reaches the fleet", async () => {
      const { number, runs } = await push(writing("docs/whom-to-call.md", "Ann.\n"), { isFork: true });
      expect(endsOf(runs)).toEqual({ plan: "success", ...nothingElse, guard: "success" });
      expect(commentsOn(number)).toEqual([]);
    });

    it("finds no secret where it looks for some", async () => {
      const { runs } = await push(writing("tenants/prod.ts", "console.log(process.env);\n"), { isFork: true });
      expect(runs["plan"]?.log).toContain("GITHUB_ACTIONS");
    });
  });

  // `push` looks for every secret in every log, summary, output and comment.
  describe("that gives a secret away by accident", () => {
    const readsSecrets = 'pulumi.runtime.getConfig("openclaw-tenants:secrets")';

    it("prints it where nobody looks: the program's words stay with the engine", async () => {
      const { number, runs } = await push(
        writing(
          "index.ts",
          `console.log(process.env, ${readsSecrets});\nconsole.error(process.env);\ncreated.tokens.apply((all) => console.log("tokens", JSON.stringify(all)));\n`,
        ),
      );
      expect([endsOf(runs), wordOf(runs)]).toEqual([ENDS.previewed, WORDS.clear]);
      await expectGolden("prints-secrets", commentsOn(number)[0]);
    });

    it("prints none from the list, whose words are no part of the comment either", async () => {
      const { number, runs } = await push(writing("tenants/prod.ts", "console.log(process.env);\n"));
      expect([endsOf(runs), wordOf(runs)]).toEqual([ENDS.previewed, WORDS.clear]);
      expect(runs["plan"]?.log).toContain("GITHUB_ACTIONS");
      expect(commentsOn(number)).toEqual([expect.stringMatching(/^<!-- openclaw-tenants plan prod -->\n/)]);
      expect(commentsOn(number)[0]).not.toContain("GITHUB_ACTIONS");
    });

    const THREW = "the program threw an error, whose words may hold a secret and are not told here\n";
    it.each<[where: string, edit: Edit, told: string]>([
      [
        "in an apply",
        writing("index.ts", `created.tokens.apply((all) => {\n  throw new Error(JSON.stringify([all, process.env, ${readsSecrets}]));\n});\n`),
        THREW,
      ],
      [
        "before anything is made",
        { files: { "index.ts": (text) => text.replace("const root", `throw new Error(JSON.stringify([process.env, ${readsSecrets}]));\nconst root`) } },
        THREW,
      ],
      [
        "in the list",
        writing("tenants/prod.ts", 'if (process.env["HCLOUD_TOKEN"] !== undefined) throw new Error(process.env["HCLOUD_TOKEN"]);\n'),
        "tenants/prod.ts cannot be read at line ",
      ],
    ])("throws it %s, and the log has no more than where", async (_, edit, told) => {
      const { runs } = await push(edit);
      expect([endsOf(runs), wordOf(runs)]).toEqual([ENDS.stopped, WORDS.stopped]);
      expect(runs["preview"]?.log).toContain(told);
    });

    it.each<[name: string, edit: Edit]>([
      ["pastes-a-secret-into-the-settings", { files: { "Pulumi.prod.yaml": (text) => text.replace(/CRM_KEY:\n\s+secure: .*/, `CRM_KEY: ${CRM_KEY}`) } }],
      ["pastes-a-secret-into-the-list", changing("globex", { config: { channels: { discord: { enabled: true, token: CRM_KEY } } } })],
      ["pastes-a-secret-for-its-name", changing("globex", { env: [CRM_KEY] })],
    ])("is refused by the plan: %s", async (name, edit) => {
      const { number, runs } = await push(edit);
      expect([endsOf(runs), wordOf(runs)]).toEqual([ENDS.refused, WORDS.refused]);
      await expectGolden(name, commentsOn(number)[0]);
    });
  });

  it("has a comment for every file in expected/pull-requests/", () => {
    expect(readdirSync(goldens).toSorted()).toEqual(compared.toSorted());
  });

  it("changes nothing and connects to no host, whatever it says", async () => {
    const { stdout } = await repository.pulumi("stack", "export", "--stack", "prod");
    expect(stdout === state).toBe(true);
    expect(repository.wasSshCalled()).toBe(false);
  });
});

function never(what: string): never {
  throw new Error(`there is no ${what}`);
}

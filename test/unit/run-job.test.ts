import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, describe, expect, it } from "vitest";

import { type Event, type JobRun, runWorkflow, type Again } from "../support/actions/run-job.ts";

const scratch: string[] = [];
afterEach(() => {
  for (const dir of scratch.splice(0)) rmSync(dir, { recursive: true, force: true });
});

/** Runs `.github/workflows/main.yml` of these files, by their path below `.github`. */
async function run(files: Readonly<Record<string, string>>, event: Partial<Event> = {}, again?: Again): Promise<Record<string, JobRun>> {
  const dir = mkdtempSync(join(tmpdir(), "openclaw-tenants-workflows-"));
  scratch.push(dir);
  for (const folder of ["workflows", "actions", "workspace"]) mkdirSync(join(dir, folder));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(dir, path, ".."), { recursive: true });
    writeFileSync(join(dir, path), text);
  }
  return await runWorkflow("main", { github: {}, ...event }, { workspace: join(dir, "workspace"), env: { PATH: "/usr/bin:/bin" }, definitions: dir }, again);
}

/** One job with these steps, each a script or a step's fields. */
async function runSteps(steps: readonly (string | object)[], event: Partial<Event> = {}, job: object = {}): Promise<JobRun> {
  const all = steps.map((step) => (typeof step === "string" ? { run: step } : step));
  const { only } = await run({ "workflows/main.yml": JSON.stringify({ jobs: { only: { ...job, steps: all } } }) }, event);
  return only ?? { result: "skipped", outputs: {}, log: "there is no job", summary: "", calls: [] };
}

/** A workflow of jobs without steps but for these fields, and how each of its jobs ends. */
async function runJobs(jobs: Readonly<Record<string, object>>): Promise<Record<string, string>> {
  const runs = await run({ "workflows/main.yml": JSON.stringify({ jobs }) });
  return Object.fromEntries(Object.entries(runs).map(([id, { result }]) => [id, result]));
}

const FAILS = { steps: [{ run: "exit 1" }] };
const SKIPPED = { if: "false" };
const FIRST = { id: "first", run: `{ echo 'text<<end'; printf 'a=b\\n\\nend of it\\n'; echo end; echo 'word=x=y'; echo 'empty='; } >> "$GITHUB_OUTPUT"` };

describe("steps of a job", () => {
  it("stop at the first command that fails, but for those that ask to run", async () => {
    const { result, log } = await runSteps([
      "echo one; false | cat; echo two",
      "echo three",
      { if: "failure()", run: "echo four" },
      { if: "${{ always() }}", run: "echo five" },
      { if: "${{ !cancelled() && vars.NONE }}", run: "echo six" },
    ]);
    expect([result, log.split("\n")]).toEqual(["failure", ["one", "four", "five", ""]]);
  });

  it("know what became of the steps before them", async () => {
    const { log } = await runSteps([
      { id: "skipped", if: "false", run: "exit 1" },
      { id: "failed", run: "exit 1" },
      { if: "always()", run: "echo ${{ steps.skipped.outcome }} ${{ steps.failed.outcome }}" },
    ]);
    expect(log.trim()).toBe("skipped failure");
  });

  it("hand on lines, blocks and nothing", async () => {
    const outputs = { text: "${{ steps.first.outputs.text }}", word: "${{ steps.first.outputs.word }}", absent: "${{ steps.first.outputs.absent }}" };
    expect((await runSteps([FIRST], {}, { outputs })).outputs).toEqual({ text: "a=b\n\nend of it", word: "x=y", absent: "" });
  });

  it.each(["no sign", "text<<end\nno end"])("fail where GitHub cannot read what they wrote: %j", async (text) => {
    expect((await runSteps([`cat > "$GITHUB_OUTPUT" <<'TEXT'\n${text}\nTEXT`])).result).toBe("failure");
  });

  it("hand on what they have even when the job fails", async () => {
    expect(await runSteps([FIRST, "exit 1"], {}, { outputs: { word: "${{ steps.first.outputs.word }}" } })).toMatchObject({
      result: "failure",
      outputs: { word: "x=y" },
    });
  });

  it("take a text for true, whatever it says, and an empty one for false", async () => {
    const outputs = { run: `printf '%s\\n' no=false zero=0 >> "$GITHUB_OUTPUT"`, id: "told" };
    const { log } = await runSteps([outputs, ...["no", "zero", "absent"].map((name) => ({ if: `steps.told.outputs.${name}`, run: `echo ${name}` }))]);
    expect(log.trim()).toBe("no\nzero");
  });

  it("have the nearest variable of a name, and what an earlier step set before the job's own", async () => {
    const env = { A: "job", B: "job", C: "job" };
    const { log } = await runSteps(['echo "B=set" >> "$GITHUB_ENV"', { env: { C: "step", D: "${{ env.B }}" }, run: 'echo "$A $B $C $D"' }], {}, { env });
    expect(log.trim()).toBe("job set step set");
  });

  it("see nothing of this machine's own variables", async () => {
    process.env["OF_THIS_MACHINE"] = "seen";
    const { log } = await runSteps(['echo "[$OF_THIS_MACHINE]"']);
    delete process.env["OF_THIS_MACHINE"];
    expect(log.trim()).toBe("[]");
  });

  it("start in an empty folder, until the checkout is asked for", async () => {
    const workflow = { jobs: { only: { steps: [{ run: "ls" }, { uses: "actions/checkout@0 # v1", with: { "fetch-depth": 2 } }, { run: "ls" }] } } };
    const { only } = await run({ "workflows/main.yml": JSON.stringify(workflow), "workspace/README.md": "" });
    expect(only?.log.split("\n")).toEqual(["", "README.md", ""]);
    expect(only?.calls).toEqual([{ uses: "actions/checkout@0 # v1", with: { "fetch-depth": "2" } }]);
  });
});

describe("a secret", () => {
  const event: Partial<Event> = { secrets: { "": { SHORT: "abc" }, prod: { KEY: "abcdef\nsecond line\n" }, other: { KEY: "never" } } };
  const job = { environment: "prod", outputs: { told: "${{ steps.first.outputs.told }}", fine: "${{ steps.first.outputs.fine }}" } };
  const print = { id: "first", env: { KEY: "${{ secrets.KEY }}" }, run: 'echo "told=$KEY" | sed 1q | tee -a "$GITHUB_OUTPUT" "$GITHUB_STEP_SUMMARY"' };

  it("is the environment's, and is starred in log and summary, each line of it", async () => {
    const { log, summary } = await runSteps([print, 'echo "then second line, ${{ secrets.SHORT }}, never"'], event, job);
    expect([log, summary]).toEqual(["told=***\nthen ***, ***, never\nSkip output 'told' since it may contain secret.\n", "told=***\n"]);
  });

  it("takes an output with it", async () => {
    const { outputs } = await runSteps([print, { run: "true" }], event, job);
    expect(outputs).toEqual({ fine: "" });
  });

  it("is the job's own token as well", async () => {
    expect((await runSteps(["echo ${{ github.token }}"], { github: { token: "ghs_token" } })).log).toBe("***\n");
  });
});

describe("a job", () => {
  it("is skipped after a job that failed or was skipped, however far back, unless it asks", async () => {
    expect(
      await runJobs({
        first: SKIPPED,
        second: { needs: "first", if: "always()" },
        third: { needs: ["second"] },
        fourth: { needs: "second", if: "!cancelled() && needs.second.result == 'success'" },
        after: { needs: "first", if: "failure()" },
      }),
    ).toEqual({ first: "skipped", second: "success", third: "skipped", fourth: "success", after: "skipped" });
    expect(await runJobs({ first: FAILS, second: { needs: "first" }, third: { needs: "second", if: "failure()" } })).toEqual({
      first: "failure",
      second: "skipped",
      third: "success",
    });
  });

  it("knows result and outputs of those it needs, and no others", async () => {
    const runs = await run({
      "workflows/main.yml": JSON.stringify({
        env: { WHAT: "workflow's" },
        jobs: {
          first: { steps: [FIRST, { run: 'echo text >> "$GITHUB_STEP_SUMMARY"' }], outputs: { word: "${{ steps.first.outputs.word }}" } },
          second: { needs: "first", steps: [{ run: 'echo "${{ needs.first.result }} ${{ needs.first.outputs.word }} $WHAT [${{ needs.first.summary }}]"' }] },
        },
      }),
    });
    expect(runs["second"]?.log.trim()).toBe("success x=y workflow's []");
  });

  it("is run again alone, with the earlier results of the others", async () => {
    const text = { jobs: { first: FAILS, second: { needs: "first", if: "always()", steps: [{ run: "echo ${{ needs.first.result }} ${{ vars.TIME }}" }] } } };
    const files = { "workflows/main.yml": JSON.stringify(text) };
    const earlier = await run(files, { vars: { TIME: "1" } });
    const again = await run(files, { vars: { TIME: "2" } }, { job: "second", earlier });
    expect([earlier["second"]?.log, again["second"]?.log, again["first"]]).toEqual(["failure 1\n", "failure 2\n", earlier["first"]]);
  });
});

describe("what a workflow calls of the repository's own", () => {
  const called = { jobs: { only: { environment: "prod", steps: [{ run: 'echo "[${{ inputs.word }}] [${{ secrets.KEY }}] [$OUTER]"' }] } } };
  const action = {
    inputs: { word: { default: "usual" }, engine: { default: "false" } },
    runs: {
      steps: [
        { id: "inner", run: 'echo "[${{ inputs.word }}] [${{ secrets.KEY }}] [$OUTER]"; echo SET=it >> "$GITHUB_ENV"' },
        { if: "inputs.engine == 'true'", uses: "pulumi/actions@0" },
      ],
    },
  };
  const files = { "workflows/called.yml": JSON.stringify(called), "actions/act/action.yml": JSON.stringify(action) };
  const runMain = async (job: object): Promise<JobRun | undefined> =>
    (await run({ ...files, "workflows/main.yml": JSON.stringify({ env: { OUTER: "outer" }, jobs: { only: job } }) }, { secrets: { prod: { KEY: "key" } } }))[
      "only"
    ];

  it("is told its inputs: a workflow, which has neither the caller's secrets nor its variables", async () => {
    expect((await runMain({ uses: "./.github/workflows/called.yml", with: { word: "${{ 'x' }}" } }))?.log).toBe("[x] [] []\n");
  });

  it("is told its inputs: an action, in the job's environment and with no secret beside them", async () => {
    const steps = [{ uses: "./.github/actions/act", with: { word: "y" } }, { run: 'echo "$SET [${{ steps.inner.outcome }}]"' }];
    const made = await runMain({ environment: "prod", steps });
    expect([made?.log, made?.calls]).toEqual(["[y] [] [outer]\nit []\n", []]);
    const asked = await runMain({ steps: [{ uses: "./.github/actions/act", with: { engine: true } }] });
    expect([asked?.log, asked?.calls]).toEqual(["[usual] [] [outer]\n", [{ uses: "pulumi/actions@0", with: {} }]]);
  });

  it("fails the job with its own steps", async () => {
    const failing = { "actions/act/action.yml": JSON.stringify({ runs: { steps: [{ run: "exit 1" }, { run: "echo never" }] } }) };
    const workflow = {
      jobs: {
        only: {
          steps: [
            { id: "act", uses: "./.github/actions/act" },
            { if: "always()", run: "echo ${{ steps.act.outcome }}" },
          ],
        },
      },
    };
    const { only } = await run({ ...failing, "workflows/main.yml": JSON.stringify(workflow) });
    expect([only?.result, only?.log.trim()]).toEqual(["failure", "failure"]);
  });
});

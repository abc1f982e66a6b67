import { Console } from "node:console";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";

import { UserError } from "../lib/errors.ts";
import { check } from "./check.ts";
import { runInForeground } from "./command.ts";
import { nameOfStack } from "./deployment.ts";
import { destroy } from "./destroy.ts";
import { stopServing } from "./fleet.ts";
import { showDrift } from "./drift.ts";
import { showErrors } from "./engine-errors.ts";
import { guard } from "./guard.ts";
import { showHealth } from "./health-of-fleet.ts";
import { LOCAL_STACK, readEnv } from "./local.ts";
import { plan } from "./plan.ts";
import { recoverCloud } from "./recover-cloud.ts";
import { setUp } from "./set-up.ts";
import { setUpTests } from "./set-up-tests.ts";
import { start } from "./start.ts";
import { printTargets } from "./targets.ts";

const projectDir = dirname(import.meta.dirname);
const USAGE = "usage: npm start | npm test | npm run stop | destroy | pulumi | plan | health | drift | recover | check | bench -- [options]";

/** What each verb does; they give the exit code. */
const VERBS: Readonly<Record<string, (args: string[], mayInstall: boolean) => Promise<number>>> = {
  start: async (args, mayInstall) => {
    parseArgs({ args, options: {} });
    return await start(projectDir, await setUp(projectDir, { mayInstall }));
  },
  stop: async (args) => {
    parseArgs({ args, options: {} });
    const count = await stopServing(readEnv(projectDir)["DOCKER_HOST"] ?? "");
    process.stdout.write(count === 0 ? "nothing was running\n" : `stopped ${count} containers; npm start brings them back\n`);
    return 0;
  },
  destroy: async (args, mayInstall) => {
    const { values } = parseArgs({ args, options: { yes: { type: "boolean", default: false }, data: { type: "boolean", default: false } } });
    return await destroy(projectDir, await setUp(projectDir, { mayInstall }), values);
  },
  pulumi: async (args, mayInstall) => {
    const { env } = await setUp(projectDir, { mayInstall });
    return await runInForeground("pulumi", args, { cwd: projectDir, env: { ...env, PULUMI_STACK: LOCAL_STACK } });
  },
  test: async (args, mayInstall) =>
    await withWhatThereIs(mayInstall, async (env) => await runInForeground("vitest", ["run", ...args], { cwd: projectDir, env })),
  check: async (args, mayInstall) => {
    const { values } = parseArgs({ args, options: { "no-set-up": { type: "boolean", default: false } } });
    if (values["no-set-up"]) return await check(projectDir, findEnv());
    return await withWhatThereIs(mayInstall, async (env) => await check(projectDir, env));
  },
  plan: async (args) => {
    const { values } = parseArgs({
      args,
      options: {
        base: { type: "string" },
        stack: { type: "string", default: "prod" },
        markdown: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        preview: { type: "string" },
        errors: { type: "string" },
        guard: { type: "string" },
        targets: { type: "string" },
      },
    });
    // What a list prints is talk: stdout is the plan's alone.
    globalThis.console = new Console(process.stderr);
    const stack = nameOfStack(values.stack);
    if (values.errors !== undefined) return showErrors(values.errors);
    if (values.guard !== undefined) return guard(values.guard);
    if (values.targets !== undefined) {
      if (values.preview === undefined)
        throw new UserError("--targets needs a preview", { hint: "pulumi preview --json > preview.json, then --preview preview.json" });
      return await printTargets({ projectDir, stack, tenant: values.targets, preview: values.preview });
    }
    const { text, exitCode } = await plan({ projectDir, ...values, stack, form: values.json ? "json" : values.markdown ? "markdown" : "text" });
    process.stdout.write(text);
    return exitCode;
  },
  health: async (args) => {
    const { values } = parseArgs({
      args,
      options: { stack: { type: "string", default: "prod" }, markdown: { type: "boolean", default: false }, tenant: { type: "string" } },
    });
    return await showHealth({ projectDir, ...values });
  },
  drift: async (args) => {
    const { values } = parseArgs({
      args,
      options: { stack: { type: "string", default: "prod" }, preview: { type: "string" }, certificates: { type: "string" } },
    });
    if (values.preview === undefined)
      throw new UserError("drift needs a preview", { hint: "pulumi preview --refresh --json > preview.json, then --preview preview.json" });
    return await Promise.resolve(showDrift({ ...values, stack: nameOfStack(values.stack), preview: values.preview }));
  },
  recover: async (args) => {
    const { values } = parseArgs({ args, options: { stack: { type: "string" }, yes: { type: "boolean", default: false } } });
    if (values.stack === undefined)
      throw new UserError("which stack is to be recovered", { hint: "npm run recover -- --stack prod; the local one recovers with npm start" });
    return await recoverCloud({ projectDir, stack: values.stack, yes: values.yes });
  },
  bench: async (args, mayInstall) => {
    const { env } = await setUp(projectDir, { mayInstall });
    await setUpTests(projectDir, { mayInstall });
    return await runInForeground(process.execPath, [join(projectDir, "test", "bench", "main.ts"), ...args], { cwd: projectDir, env });
  },
};

/** Tests that need nothing of the machine run even where set-up cannot do its work; then its error is the last word, and in CI a failure. */
async function withWhatThereIs(mayInstall: boolean, work: (env: Record<string, string>) => Promise<number>): Promise<number> {
  try {
    await setUp(projectDir, { mayInstall });
    await setUpTests(projectDir, { mayInstall });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const code = await work(findEnv());
    report(error);
    return process.env["CI"] ? 1 : code;
  }
  return await work(findEnv());
}

function findEnv(): Record<string, string> {
  return existsSync(join(projectDir, ".local", "env")) ? readEnv(projectDir) : {};
}

function report(error: UserError): void {
  process.stderr.write(`error: ${error.message}\n${error.hint === undefined ? "" : `  ${error.hint}\n`}`);
}

/** Node's own words for an option that nobody knows. */
function isMisuse(error: unknown): error is Error {
  return error instanceof Error && "code" in error && typeof error.code === "string" && error.code.startsWith("ERR_PARSE_ARGS_");
}

const [verb = "", ...rest] = process.argv.slice(2);
// It would win over the file that `.local/env` names; a stack that is not the local one has its own.
if (!["health", "recover"].includes(verb)) delete process.env["PULUMI_CONFIG_PASSPHRASE"];
try {
  const action = VERBS[verb];
  if (action === undefined) {
    process.stderr.write(`${USAGE}\n`);
    process.exitCode = 2;
  } else {
    process.exitCode = await action(
      rest.filter((argument) => argument !== "--no-install"),
      !rest.includes("--no-install"),
    );
  }
} catch (error) {
  if (isMisuse(error)) {
    process.stderr.write(`error: ${error.message}\n  ${USAGE}\n`);
    process.exitCode = 2;
  } else if (error instanceof UserError) {
    report(error);
    process.exitCode = 1;
  } else throw error;
}

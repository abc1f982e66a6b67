import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";

import { strictOptions, SSH_USER } from "../../lib/ssh.ts";
import { renderCostTable } from "../../plan/cost.ts";
import { labelsOf, nameHost, nameMachine, nameTenant } from "../../plan/names.ts";
import { Settings } from "../../plan/settings.ts";
import { DATA_PATH } from "../../templates/cloud-init.ts";
import { Tenant } from "../../tenants/schema.ts";
import { hetznerSettings, plan, plannedHost, plannedTenant, tenant } from "../support/fleet.ts";

const read = (...path: string[]): string => readFileSync(join(import.meta.dirname, "..", "..", ...path), "utf8");
const text = read("docs", "production.md");
/** Everything that tells an operator of `prod` what to type. */
const all = [text, read("docs", "when-it-breaks.md"), read("docs", "tenants.md"), read("README.md")].join("\n");

const spans = [...text.replaceAll(/```[^]*?```/g, "").matchAll(/`([^`\n]+)`/g)].map(([, span = ""]) => span);
const matches = (where: string, pattern: RegExp): string[] => [...new Set(where.match(pattern))];

/** Every name of a field in a schema, at any depth. */
function fieldsOf(schema: z.core.$ZodType): string[] {
  const { def } = schema._zod;
  if (schema instanceof z.ZodObject) return Object.entries(schema.shape).flatMap(([key, value]) => [key, ...fieldsOf(value as z.core.$ZodType)]);
  if (schema instanceof z.ZodRecord) return fieldsOf(schema.valueType);
  if (schema instanceof z.ZodDiscriminatedUnion) return schema.options.flatMap(fieldsOf);
  return "innerType" in def ? fieldsOf(def.innerType as z.core.$ZodType) : [];
}

/** Words of the docs in code that name no setting. */
const OTHER_WORDS = ["ccx", "deploy", "prod"];
const fleet = plan([tenant({ host: "host-1" })], { stack: "prod", settings: hetznerSettings() });

describe("docs/production.md", () => {
  it("gets from empty accounts to the first client in at most ten steps", () => {
    const [, section = ""] = /## From empty accounts to the first client\n([^]*?)\n## /.exec(text) ?? [];
    const steps = [...section.matchAll(/^(\d+)\. /gm)].map(([, number]) => Number(number));
    expect(steps.length).toBeGreaterThan(5);
    expect(steps).toEqual(steps.map((_, index) => index + 1));
    expect(steps.length).toBeLessThanOrEqual(10);
  });

  it("has the plan's own table of costs", () => {
    expect(text).toContain(`\n${renderCostTable()}\n`);
  });

  it("names only settings, tenants' fields and outputs that exist", () => {
    const config = Object.keys((parse(read("Pulumi.yaml")) as { config: object }).config).map((key) => key.replace("openclaw-tenants:", ""));
    const outputs = matches(read("index.ts"), /(?<=^export const )\w+/gm);
    const known = [...fieldsOf(Settings), ...fieldsOf(Tenant), ...config, ...outputs];

    // `key`, `key.key` or `key: value`, where the value may hold keys in turn.
    const named = spans
      .filter((span) => /^[a-z][A-Za-z.]*(: .*)?$/.test(span) && !OTHER_WORDS.includes(span))
      .flatMap((span) => [...(span.split(":")[0] ?? "").split("."), ...matches(span, /\b[a-z][A-Za-z]*(?=: )/gi)]);
    expect(named.length).toBeGreaterThan(20);
    for (const name of named) expect(known, name).toContain(name);

    const shown = matches(text, /(?<=stack output )\w+/g);
    expect(shown.length).toBeGreaterThan(3);
    for (const name of shown) expect(outputs).toContain(name);
  });

  it("shows entries that the list accepts", () => {
    const entries = matches(text, /(?<=```ts\n\s*)\{.*\}(?=,\n)/g);
    expect(entries.length).toBeGreaterThan(1);
    for (const entry of entries) {
      const fields = parse(entry) as object;
      expect(Tenant.parse(fields)).toMatchObject(fields);
    }
  });

  it("logs in with the very options that the program uses", () => {
    const options = matches(text, /(?<=-o '?)[A-Z]\w+=[^'\n]*?(?='| -o| \\)/g);
    expect(options.length).toBeGreaterThan(3);
    for (const option of options) expect(strictOptions("<hostKey>")).toContain(option);
    // The others spare it a question and a long wait, which a person does not mind.
    const [, entry = ""] = /\nHost host-1\n((?: {2}.*\n)+)/.exec(text) ?? [];
    expect(entry.trim().split(/\n */)).toEqual(["HostName <address>", `User ${SSH_USER}`, ...options.map((option) => option.replace("=", " "))]);
    expect(text).toContain(`${SSH_USER}@<address>`);
  });
});

describe("what the docs say of production", () => {
  it("calls things by the names that the program gives them", () => {
    const machine = nameMachine("prod", "host-1");
    const docker = { tenant: { ...nameTenant("prod", "acme") }, host: { ...nameHost("prod", "host-1") } };
    const real = [...Object.values(docker.tenant), ...Object.values(docker.host), machine, `${machine}-ipv4`, `${machine}-ipv6`];
    const named = matches(all, /openclaw-prod[\w.-]*\w/g);
    expect(named.length).toBeGreaterThan(4);
    for (const name of named) expect(real).toContain(name);
  });

  it("points to directories, scripts, labels and ports that are there", () => {
    const directories = matches(all, /\/srv\/[\w/]+/g);
    const { directory = "" } = plannedTenant(fleet);
    expect(directories.length).toBeGreaterThan(1);
    for (const each of directories) expect([DATA_PATH, join(directory, ".."), directory, directory.replace("acme", "hooli")]).toContain(each);

    const scripts = matches(all, /\/usr\/local\/sbin\/[\w-]+/g);
    expect(scripts.length).toBeGreaterThan(0);
    for (const each of scripts) expect(read("templates", "cloud-init.yaml")).toContain(`path: ${each}\n`);

    const labels = matches(text, /openclaw-tenants\.\w+/g);
    expect(labels.length).toBeGreaterThan(1);
    const known = Object.keys({ ...labelsOf("prod", "host"), ...plannedHost(fleet, "host-1").machine?.labels });
    for (const each of labels) expect(known).toContain(each);

    const { tunnelPort = 0 } = plannedHost(fleet, "host-1").edge;
    expect(text).toContain(`-L ${tunnelPort}:127.0.0.1:${tunnelPort} host-1`);
  });

  it("quotes a server's warning and names its steps as the program does", () => {
    const program = read("components", "hetzner-host.ts");
    const warnings = spans.filter((span) => span.startsWith('host "host-1" '));
    expect(warnings).toHaveLength(1);
    for (const warning of warnings) expect(program).toContain(warning.replace("host-1", "${name}"));
    const steps = matches(all, /(?<=`host-1-)\w+(?=`)/g);
    expect(steps.length).toBeGreaterThan(1);
    for (const step of steps) expect(program).toContain(`run("${step}"`);
  });
});

import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { readWorkflows } from "../support/actions/workflow.ts";

const read = (...path: string[]): string => readFileSync(join(import.meta.dirname, "..", "..", ...path), "utf8");
const text = read("docs", "github.md");
const workflows = readWorkflows();
const matches = (where: string, pattern: RegExp): string[] => [...new Set(where.match(pattern))].toSorted();
const sectionOf = (title: string): string => new RegExp(`\\n## ${title}\\n([^]*?)(?=\\n## |$)`).exec(text)?.[1] ?? "";

/** What the workflows name in a context, `secrets.X`. */
function namedIn(context: string, environment?: string): string[] {
  const jobs = Object.values(workflows).flatMap((workflow) => [...Object.values(workflow.jobs), workflow.env]);
  const wanted = jobs.filter((job) => environment === undefined || job["environment"] === environment);
  return matches(JSON.stringify(wanted), new RegExp(`(?<=\\b${context}\\.)\\w+`, "g"));
}

describe("docs/github.md", () => {
  it("gets from a fork to the first previewed pull request in at most eight steps", () => {
    const steps = [...sectionOf("From a fork to the first previewed pull request").matchAll(/^(\d+)\. /gm)].map(([, number]) => Number(number));
    expect(steps.length).toBeGreaterThan(5);
    expect(steps).toEqual(steps.map((_, index) => index + 1));
    expect(steps.length).toBeLessThanOrEqual(8);
  });

  it("tells every workflow that is started by something, and no other", () => {
    const started = Object.keys(workflows).filter((name) => name !== "comment");
    expect(matches(text.slice(0, text.indexOf("\n## ")), /(?<=^\| `)\w+(?=`)/gm)).toEqual(started.toSorted());
  });

  it("has the very secrets that each environment's jobs are given", () => {
    const rows = sectionOf("Secrets")
      .split("\n")
      .filter((line) => line.startsWith("| `"))
      .map((line) => line.split("|").map((cell) => cell.trim()));
    for (const [column, environment] of ["preview", "production", "drift"].entries()) {
      const told = rows.filter((cells) => cells[column + 2] !== "no").flatMap(([, names = ""]) => names.match(/\w{4,}/g) ?? []);
      expect(told.toSorted(), environment).toEqual(namedIn("secrets", environment));
    }
    expect(namedIn("secrets")).toEqual([...new Set(["preview", "production", "drift"].flatMap((each) => namedIn("secrets", each)))].toSorted());
  });

  it("names only variables, labels, checks and tags that the workflows know", () => {
    const variables = matches(text, /(?<=gh variable set )\w+/g);
    expect(variables).toEqual(namedIn("vars"));
    const label = workflows["preview"]?.env["LABEL"] ?? "";
    expect(matches(text, /(?<=gh label create )[\w-]+/g)).toEqual([label]);
    const checks = matches(/the checks (.*) have to pass/.exec(text)?.[1] ?? "", /(?<=`)\w+(?=`)/g);
    expect(checks).toHaveLength(3);
    expect(Object.values(workflows).flatMap(({ jobs }) => Object.keys(jobs))).toEqual(expect.arrayContaining(checks));
    expect(read(".github", "actions", "reach-hosts", "action.yml")).toContain("tags: tag:deploy\n");
    expect(text).toContain('"src": ["tag:deploy"]');
  });
});

import { readFileSync } from "node:fs";

import { z } from "zod";

const Manager = z.looseObject({
  managerFilePatterns: z.array(z.string().regex(/^\/.*\/$/)),
  matchStrings: z.array(z.string()),
  depNameTemplate: z.string(),
  packageNameTemplate: z.string().optional(),
  datasourceTemplate: z.string(),
});

const Rule = z.looseObject({
  matchManagers: z.array(z.string()).optional(),
  matchDatasources: z.array(z.string()).optional(),
  matchDepTypes: z.array(z.string()).optional(),
  matchDepNames: z.array(z.string()).optional(),
  matchPackageNames: z.array(z.string()).optional(),
  prBodyNotes: z.array(z.string()).default([]),
});

const Config = z.looseObject({
  extends: z.array(z.string()),
  enabledManagers: z.array(z.string()),
  customManagers: z.array(Manager),
  packageRules: z.array(Rule),
});

/** What the updates are configured with, and the parts of it that tests look at. */
export const renovate = Config.parse(JSON.parse(readFileSync(new URL("../../renovate.json", import.meta.url), "utf8")));

/** Something with a version, as Renovate knows it. */
export interface Dependency {
  manager: string;
  datasource: string;
  depName: string;
  packageName: string;
  depType?: string;
}

/** One that a custom manager has found in a text. */
export interface Found extends Dependency {
  file: string;
  version: string;
  digest: string | undefined;
  /** Where the match begins, and what it is. */
  at: number;
  match: string;
}

/** What the custom managers find in these files, as they do it: every expression over every file of theirs. */
export function findDependencies(files: Readonly<Record<string, string>>): Found[] {
  return renovate.customManagers.flatMap((manager) =>
    Object.entries(files)
      .filter(([file]) => manager.managerFilePatterns.some((pattern) => new RegExp(pattern.slice(1, -1)).test(file)))
      .flatMap(([file, text]) =>
        manager.matchStrings.flatMap((expression) => [...text.matchAll(new RegExp(expression, "g"))]).map((match) => ({ file, match })),
      )
      .map(({ file, match }) => {
        const { packageName, currentValue = "", currentDigest } = match.groups ?? {};
        return {
          manager: "custom.regex",
          datasource: manager.datasourceTemplate,
          depName: manager.depNameTemplate,
          packageName: manager.packageNameTemplate ?? packageName ?? manager.depNameTemplate,
          file,
          version: currentValue,
          digest: currentDigest,
          at: match.index,
          match: match[0],
        };
      }),
  );
}

/** The text after an update, as Renovate writes it: within the match, each value by the new one. */
export function update(text: string, { match, version, digest }: Found, later: { version: string; digest: string }): string {
  const replaced = match.replace(version, later.version).replace(digest ?? "", later.digest);
  return text.replace(match, () => replaced);
}

/** What the rules come to for a dependency: the last word counts, and notes add up. */
export function settingsFor(dependency: Dependency): Record<string, unknown> {
  const { manager, datasource, depName, packageName, depType } = dependency;
  const rules = renovate.packageRules.filter(
    (rule) =>
      isAmong(manager, rule.matchManagers) &&
      isAmong(datasource, rule.matchDatasources) &&
      isAmong(depType, rule.matchDepTypes) &&
      isAmong(depName, rule.matchDepNames) &&
      isAmong(packageName, rule.matchPackageNames),
  );
  return Object.assign({}, ...rules, { prBodyNotes: rules.flatMap(({ prBodyNotes }) => prBodyNotes) }) as Record<string, unknown>;
}

function isAmong(value: string | undefined, names: readonly string[] | undefined): boolean {
  if (names === undefined) return true;
  return value !== undefined && names.some((name) => (name.startsWith("/") ? new RegExp(name.slice(1, -1)).test(value) : name === value));
}

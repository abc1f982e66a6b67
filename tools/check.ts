import { execa } from "execa";

/** Runs types, lint, format, dead code and the quick tests side by side, and shows what the failed ones said and the tests' own account. Gives the exit code. */
export async function check(projectDir: string, env: Readonly<Record<string, string>>): Promise<number> {
  const options = { cwd: projectDir, env, reject: false, all: true, stdin: "ignore" } as const;
  const checks = {
    types: execa("tsc", ["--noEmit"], options),
    lint: execa("eslint", ["--max-warnings", "0", "."], options),
    format: execa("prettier", ["--check", "--log-level", "warn", "."], options),
    "dead code": execa("knip", options),
    tests: execa("vitest", ["run", "--project", "unit", "--project", "golden"], options),
  };
  const results = await Promise.all(
    Object.entries(checks).map(async ([name, running]) => {
      const { failed, all, originalMessage, durationMs } = await running;
      return { name, isFine: !failed, said: all.trim() || (originalMessage ?? ""), seconds: (durationMs / 1000).toFixed(1) };
    }),
  );
  for (const { name, isFine, said } of results) {
    if (!isFine || name === "tests") process.stdout.write(`--- ${name}\n${said}\n`);
  }
  process.stdout.write(`\n${results.map(({ name, isFine, seconds }) => `${isFine ? "fine  " : "FAILED"}  ${name} (${seconds} s)`).join("\n")}\n`);
  return results.every(({ isFine }) => isFine) ? 0 : 1;
}

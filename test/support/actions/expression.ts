import { data, Evaluator, Lexer, Parser } from "@actions/expressions";

/** What expressions of a workflow may name. */
export type Contexts = Readonly<Record<"env" | "github" | "inputs" | "needs" | "runner" | "secrets" | "steps" | "vars", unknown>>;

/** How the jobs that a job needs, or the steps before a step, have gone. */
export type Status = "failure" | "skipped" | "success";

/** The text of a field, every `${{ … }}` in it replaced by its value. */
export function interpolate(text: string, contexts: Contexts): string {
  return text.replaceAll(/\$\{\{(.*?)\}\}/gs, (_, expression: string) => evaluate(expression, contexts, "success").coerceString());
}

/** The same for every one of several fields. */
export function interpolateAll(fields: Readonly<Record<string, string>>, contexts: Contexts): Record<string, string> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, interpolate(value, contexts)]));
}

/** Whether an `if` is met; without one, or without a word on the status in it, only after success. */
export function isMet(condition: string | undefined, contexts: Contexts, status: Status): boolean {
  const expression = condition?.replace(/^\s*\$\{\{(.*)\}\}\s*$/s, "$1") ?? "success()";
  const isAsked = /\b(always|cancelled|failure|success)\(\)/.test(expression);
  // GitHub's own "not" knows what counts as true: every text does but the empty one, "false" and "0" included.
  return (isAsked || status === "success") && evaluate(`!(${expression})`, contexts, status).coerceString() === "false";
}

function evaluate(expression: string, contexts: Contexts, status: Status): data.ExpressionData {
  const answers = { always: true, cancelled: false, failure: status === "failure", success: status === "success" };
  const functions = Object.entries(answers).map(([name, answer]) => ({ name, minArgs: 0, maxArgs: 0, call: () => new data.BooleanData(answer) }));
  // Which files there are decides no more than the name of a cache.
  const hashFiles = { name: "hashFiles", minArgs: 1, maxArgs: 255, call: () => new data.StringData("hash") };
  const all = [...functions, hashFiles];
  const { tokens } = new Lexer(expression).lex();
  const parsed = new Parser(tokens, Object.keys(contexts), all).parse();
  const values = JSON.parse(JSON.stringify(contexts), data.reviver) as data.Dictionary;
  return new Evaluator(parsed, values, new Map(all.map((each) => [each.name.toLowerCase(), each]))).evaluate();
}

import { data, Evaluator, Lexer, Parser } from "@actions/expressions";

/** What expressions of a workflow may name. */
export type Contexts = Readonly<Record<"env" | "github" | "inputs" | "needs" | "runner" | "secrets" | "steps" | "vars", unknown>>;

/** How the job, or the steps before this one, have gone. */
export type Status = "cancelled" | "failure" | "success";

/** The text of a field, every `${{ … }}` in it replaced by its value. */
export function interpolate(text: string, contexts: Contexts): string {
  return text.replaceAll(/\$\{\{(.*?)\}\}/gs, (_, expression: string) => evaluate(expression, contexts, "success").coerceString());
}

/** Whether an `if` is met; without one, or without a word on the status in it, only after success. */
export function isMet(condition: string | undefined, contexts: Contexts, status: Status): boolean {
  const expression = condition?.replace(/^\s*\$\{\{(.*)\}\}\s*$/s, "$1") ?? "success()";
  const isAsked = /\b(always|cancelled|failure|success)\(\)/.test(expression);
  return (isAsked || status === "success") && isTruthy(evaluate(expression, contexts, status));
}

function evaluate(expression: string, contexts: Contexts, status: Status): data.ExpressionData {
  const answers = { always: true, cancelled: status === "cancelled", failure: status === "failure", success: status === "success" };
  const functions = Object.entries(answers).map(([name, answer]) => ({ name, minArgs: 0, maxArgs: 0, call: () => new data.BooleanData(answer) }));
  // Which files there are decides no more than the name of a cache.
  const hashFiles = { name: "hashFiles", minArgs: 1, maxArgs: 255, call: () => new data.StringData("hash") };
  const all = [...functions, hashFiles];
  const { tokens } = new Lexer(expression).lex();
  const parsed = new Parser(tokens, Object.keys(contexts), all).parse();
  const values = JSON.parse(JSON.stringify(contexts), data.reviver) as data.Dictionary;
  return new Evaluator(parsed, values, new Map(all.map((each) => [each.name.toLowerCase(), each]))).evaluate();
}

/** As GitHub has it: false, 0, "" and null are not. Source: its documentation of expressions. */
function isTruthy(value: data.ExpressionData): boolean {
  return !["false", "0", ""].includes(value.coerceString());
}

import { describe, expect, it } from "vitest";

import { parseErrors } from "../../plan/engine-steps.ts";

const SECRET = "canary-0123456789";
const WITHHELD = "the program threw an error, whose words may hold a secret and are not told here";

const errorsOf = (...messages: string[]): string[] => parseErrors(JSON.stringify({ diagnostics: messages.map((message) => ({ severity: "error", message })) }));

describe("what stopped the engine", () => {
  it("is told as the engine, a provider or this program's own refusals put it", () => {
    const messages = ['error: host "host-1" is full\nchoose smaller sizes\n', "error: preview failed: token is not valid"];
    expect(errorsOf(...messages)).toEqual(messages);
  });

  it("leaves out what is no error, and what a step would say", () => {
    const diagnostics = [{ severity: "info", message: SECRET }, { message: SECRET }];
    expect(parseErrors(JSON.stringify({ diagnostics, steps: [{ op: "create", urn: "urn" }] }))).toEqual([]);
    expect(parseErrors("{}")).toEqual([]);
  });

  it.each([
    [
      "an error with a cause and fields",
      `error: Running program 'index.ts' failed with an unhandled exception:\nError: a\n${SECRET}\n    at \u001B[90mfile:///x/\u001B[39mindex.ts:7:53\n    at run (run.ts:1:1)\u001B[24m {\n  field: '${SECRET}',\n  [cause]: Error: ${SECRET}\n      at index.ts:7:76\n}\n`,
      ["    at \u001B[90mfile:///x/\u001B[39mindex.ts:7:53", "    at run (run.ts:1:1)\u001B[24m {", "      at index.ts:7:76"],
    ],
    ["an error after the program has ended", `error: Error: ${SECRET}\n    at file:///x/index.ts:41:39\n`, ["    at file:///x/index.ts:41:39"]],
    ["an error without a stack", `error: Running program 'index.ts' failed with an unhandled exception:\nSyntaxError: "${SECRET}" is not valid JSON\n`, []],
  ])("is told with the place and not the words, when the program threw %s", (_, message, frames) => {
    expect(errorsOf(message)).toEqual([[WITHHELD, ...frames].join("\n")]);
  });

  it.each([
    "ssh: connect to host 203.0.113.2 port 22: Connection refused",
    "deploy@203.0.113.2: Permission denied (publickey).",
    "Host key verification failed.",
  ])("is told once and in the login's own words when a host lets nobody in: %s", (words) => {
    const lines = ["host-2-skills", "host-2-edge"].map(
      (name) => `error: refreshing ${name}: command [ssh -l deploy] has exited with exit status 255, stderr=${words}\n: provider=docker@5.2.0\n`,
    );
    expect(errorsOf(...lines)).toEqual([words]);
  });

  it("cannot be told of what is no preview", () => {
    expect(() => parseErrors("")).toThrow("this is no preview of the engine's");
  });
});

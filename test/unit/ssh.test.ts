import { spawnSync } from "node:child_process";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { quote, sshArgs, strictOptions } from "../../lib/ssh.ts";

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAGvJo8AhqzxcRNR37xaC7W";
const hasSsh = spawnSync("ssh", ["-V"]).status === 0;

/** What a shell at the other end makes of a command: the arguments that a program gets. */
function argumentsAfter(argv: readonly string[]): string[] {
  const command = quote(["printf", "%s\\0", ...argv]);
  const { status, stdout } = spawnSync("sh", ["-c", command], { encoding: "utf8" });
  expect(status).toBe(0);
  return stdout.split("\0").slice(0, -1);
}

describe("a command on its way to a remote shell", () => {
  it("arrives as it was, whatever its arguments say", () => {
    const hostile = fc.constantFrom(
      "$(id)",
      "`id`",
      "'",
      "'\\''",
      '"',
      "\\",
      "\n",
      "a\nb",
      "*",
      "~",
      "~root",
      "$HOME",
      "; id",
      "&",
      "|",
      ">x",
      "#",
      "!!",
      "",
      " ",
      "-n",
    );
    const each = fc.oneof(
      hostile,
      fc.string(),
      fc.string({ unit: "binary" }),
      fc.array(hostile).map((parts) => parts.join("")),
    );
    const argument = each.map((text) => text.replaceAll("\0", "").toWellFormed());
    fc.assert(
      fc.property(fc.array(argument, { minLength: 1, maxLength: 8 }), (argv) => {
        expect(argumentsAfter(argv)).toEqual(argv);
      }),
    );
  });

  it("stays readable where nothing has to be quoted", () => {
    expect(quote(["docker", "ps", "--filter", "label=openclaw-tenants.stack=prod", "/a/b:c,d@e%f+g"])).toBe(
      "docker ps --filter label=openclaw-tenants.stack=prod /a/b:c,d@e%f+g",
    );
    expect(quote(["echo", "it's", ""])).toBe("echo 'it'\\''s' ''");
  });

  it("goes to the one user there is, as one argument", () => {
    const args = sshArgs({ address: "203.0.113.7", hostKey }, ["docker", "logs", "a b"]);
    expect(args.slice(0, -2)).toEqual(strictOptions(hostKey));
    expect(args.slice(-2)).toEqual(["deploy@203.0.113.7", "docker logs 'a b'"]);
  });
});

describe("ssh", () => {
  it("is told to believe one host key, to ask nobody and to read no file", () => {
    const options = strictOptions(hostKey);
    expect(options.filter((_, index) => index % 2 === 0)).toEqual(options.filter((_, index) => index % 2 === 0).map(() => "-o"));
    expect(options.filter((_, index) => index % 2 === 1)).toEqual([
      "StrictHostKeyChecking=yes",
      "UserKnownHostsFile=/dev/null",
      "GlobalKnownHostsFile=/dev/null",
      "BatchMode=yes",
      "ConnectTimeout=20",
      `KnownHostsCommand=/bin/echo %H ${hostKey}`,
    ]);
  });

  it.runIf(hasSsh)("understands it so", () => {
    const { stdout } = spawnSync("ssh", ["-G", ...strictOptions(hostKey), "-F", "/dev/null", "deploy@203.0.113.7"], { encoding: "utf8" });
    for (const line of [
      "stricthostkeychecking true",
      "batchmode yes",
      "userknownhostsfile /dev/null",
      "globalknownhostsfile /dev/null",
      `knownhostscommand /bin/echo %H ${hostKey}`,
    ])
      expect(stdout.split("\n")).toContain(line);
  });
});

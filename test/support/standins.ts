import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

import { ROOT } from "./project.ts";

/** Plug-ins that are run as they are. */
const REAL = ["docker", "random"];
/** Plug-ins whose place a program in `test/standin/` takes. */
const STAND_INS = ["hcloud", "cloudflare", "tls", "command"];

export interface StandInsArgs {
  /** For PULUMI_HOME; made where it is missing. */
  home: string;
  /** PULUMI_HOME with the real plug-ins. Default: the user's own. */
  realHome: string | undefined;
  /** The Node that runs the stand-ins. */
  node: string;
}

/** Lays out a PULUMI_HOME in which the clouds are stand-ins and what runs on this machine is real. */
export function installStandIns({ home, realHome = process.env["PULUMI_HOME"] ?? join(homedir(), ".pulumi"), node }: StandInsArgs): void {
  for (const name of REAL) {
    const real = pathOf(realHome, name);
    if (!existsSync(real)) throw new Error(`${real} is missing: run \`npm test\`, whose set-up brings the plug-in ${name}`);
    symlinkSync(real, makeWay(home, name));
  }
  for (const name of STAND_INS) {
    const program = join(ROOT, "test", "standin", `${name}.ts`);
    writeFileSync(makeWay(home, name), `#!/bin/sh\nexec ${quote(node)} ${quote(program)} "$@"\n`, { mode: 0o755 });
  }
}

/** Where the engine looks for the plug-in that an SDK wants. */
function pathOf(home: string, name: string): string {
  const manifest = JSON.parse(readFileSync(join(ROOT, "node_modules", "@pulumi", name, "package.json"), "utf8")) as { pulumi: { version: string } };
  return join(home, "plugins", `resource-${name}-v${manifest.pulumi.version}`, `pulumi-resource-${name}`);
}

function makeWay(home: string, name: string): string {
  const path = pathOf(home, name);
  mkdirSync(join(path, ".."), { recursive: true });
  rmSync(path, { force: true });
  return path;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

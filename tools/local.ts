import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";

import { UserError } from "../lib/errors.ts";

/** The stack that set-up looks after. */
export const LOCAL_STACK = "local";

/** What set-up decided, for whoever drives the engine or Docker from a script. */
export interface Local {
  /** The variables of `.local/env`; add them to the environment of the engine. */
  env: Record<string, string>;
  openclawImage: string;
  caddyImage: string;
  edgeNetwork: "host" | "bridge";
}

/** The part of Pulumi.local.yaml that set-up writes. */
const StackFile = z.object({
  config: z.object({
    "openclaw-tenants:settings": z.object({
      image: z.string(),
      caddyImage: z.string(),
      hosts: z.object({ local: z.object({ edge: z.object({ network: z.enum(["host", "bridge"]) }) }) }),
    }),
  }),
});

/** Reads what set-up wrote into a project folder. */
export function readLocal(projectDir: string): Local {
  const env = readEnv(projectDir);
  const file = required(join(projectDir, `Pulumi.${LOCAL_STACK}.yaml`));
  const { image, caddyImage, hosts } = StackFile.parse(parse(readFileSync(file, "utf8"))).config["openclaw-tenants:settings"];
  return { env, openclawImage: image, caddyImage, edgeNetwork: hosts.local.edge.network };
}

/** The variables of `.local/env`, PATH with what it adds to. */
export function readEnv(projectDir: string): Record<string, string> {
  const lines = readFileSync(required(join(projectDir, ".local", "env")), "utf8").matchAll(/^export (\w+)='(.*)'(:"\$PATH")?$/gm);
  const entries = [...lines].map(([, name = "", value = "", more]) => {
    const plain = value.replaceAll(`'\\''`, "'");
    return [name, more === undefined ? plain : `${plain}:${process.env["PATH"] ?? ""}`];
  });
  return Object.fromEntries(entries) as Record<string, string>;
}

function required(file: string): string {
  if (existsSync(file)) return file;
  throw new UserError("this checkout has not been set up", { hint: "`npm start` or `npm test` does it" });
}

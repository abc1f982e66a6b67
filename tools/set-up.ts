import { join } from "node:path";

import { UserError } from "../lib/errors.ts";
import { caddyImage } from "./caddy-image.ts";
import { setUpDockerEngine } from "./docker-engine.ts";
import type { Docker } from "./docker.ts";
import { setUpEngine, type Engine } from "./engine.ts";
import { setUpImage } from "./image.ts";
import { setUpLocalStack } from "./local-stack.ts";
import { writeLocalFiles } from "./local-files.ts";
import { readEnv } from "./local.ts";
import { openclawImage } from "./openclaw-image.ts";
import { setUpPlugIns } from "./plug-ins.ts";

/** What a set-up machine offers. */
export interface SetUp {
  engine: Engine;
  docker: Docker;
  /** The variables of `.local/env`. */
  env: Record<string, string>;
}

/** Brings everything that the local stack needs and this machine lacks. What does not wait for each other runs side by side. */
export async function setUp(projectDir: string, options: { mayInstall: boolean }): Promise<SetUp> {
  const engine = setUpEngine([join(projectDir, ".local", "bin")]);
  const parts = [engine, setUpPlugIns(projectDir, engine), setUpDockerAndImages(options)] as const;
  // The others are let finish when one fails: what they have built is kept for the next run.
  refuse(await Promise.allSettled(parts));
  const [chosen, plugIns, { docker, openclaw, caddy }] = await Promise.all(parts);
  await writeLocalFiles({ projectDir, engine: chosen, plugIns, endpoint: docker.endpoint });
  await setUpLocalStack({ projectDir, pulumi: chosen.pulumi, docker, openclawImage: openclaw, caddyImage: caddy });
  return { engine: chosen, docker, env: readEnv(projectDir) };
}

async function setUpDockerAndImages(options: { mayInstall: boolean }) {
  const docker = await setUpDockerEngine(options);
  const images = [setUpImage(docker.endpoint, openclawImage(options)), setUpImage(docker.endpoint, caddyImage())] as const;
  refuse(await Promise.allSettled(images));
  const [openclaw, caddy] = await Promise.all(images);
  return { docker, openclaw, caddy };
}

/** Every part that failed, in one error; a bug goes first, with its stack. */
function refuse(results: readonly PromiseSettledResult<unknown>[]): void {
  const reasons = new Set(results.flatMap((result): unknown[] => (result.status === "rejected" ? [result.reason] : [])));
  const mistakes: UserError[] = [];
  for (const reason of reasons) {
    if (!(reason instanceof UserError)) throw new Error("set-up failed", { cause: reason });
    mistakes.push(reason);
  }
  const [first, ...others] = mistakes;
  if (first === undefined) return;
  if (others.length === 0) throw first;
  throw new UserError(`set-up is not complete:\n${mistakes.map(({ message, hint }) => [message, hint].filter(Boolean).join("\n  ")).join("\n")}`);
}

import { existsSync } from "node:fs";
import { readFile, rename, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { Document, parseDocument } from "yaml";

import { parseImage } from "../lib/image.ts";
import { run } from "./command.ts";
import type { Docker } from "./docker.ts";
import { LOCAL_STACK, readEnv } from "./local.ts";
import { say } from "./progress.ts";
import { findStateFile } from "./state.ts";

const PREFERRED_PORT = 8080;

/** What the stack's settings are written from. */
export interface LocalStackArgs {
  projectDir: string;
  pulumi: string;
  docker: Docker;
  openclawImage: string;
  caddyImage: string;
}

/** Creates the stack `local` when it is missing and fills in its settings. */
export async function setUpLocalStack(args: LocalStackArgs): Promise<void> {
  const { projectDir, pulumi } = args;
  if (findStateFile(projectDir, LOCAL_STACK) === undefined) {
    await run("creating the stack", pulumi, ["stack", "init", LOCAL_STACK, "--non-interactive"], { cwd: projectDir, env: readEnv(projectDir) });
  }
  await writeSettings(args);
}

/**
 * Fills in what is missing and leaves alone what is there, with one exception: a reference to an image that set-up built
 * follows set-up, since nobody else can provide it.
 */
async function writeSettings({ projectDir, docker, openclawImage, caddyImage }: LocalStackArgs): Promise<void> {
  const file = join(projectDir, `Pulumi.${LOCAL_STACK}.yaml`);
  const before = existsSync(file) ? await readFile(file, "utf8") : "";
  const document = before.trim() === "" ? new Document({}) : parseDocument(before);
  const settings = ["config", "openclaw-tenants:settings"];
  const edge = [...settings, "hosts", "local", "edge"];
  const fill = (path: readonly string[], value: unknown) => {
    if (!document.hasIn(path)) document.setIn(path, value);
  };
  const follow = (path: readonly string[], reference: string) => {
    const current = document.getIn(path);
    if (typeof current !== "string" || parseImage(current).isBuilt) document.setIn(path, reference);
  };

  fill([...settings, "domain"], "localhost");
  follow([...settings, "image"], openclawImage);
  follow([...settings, "caddyImage"], caddyImage);
  fill([...settings, "hosts", "local", "kind"], "docker");
  fill([...settings, "hosts", "local", "memoryMb"], docker.memoryMb);
  fill([...settings, "hosts", "local", "cpus"], docker.cpus);
  fill([...edge, "network"], docker.edgeNetwork);
  if (!document.hasIn([...edge, "httpPort"])) document.setIn([...edge, "httpPort"], await findFreePort());

  const after = document.toString({ lineWidth: 0 });
  if (after === before) return;
  await writeFile(`${file}.${process.pid}`, after);
  await rename(`${file}.${process.pid}`, file);
}

async function findFreePort(): Promise<number> {
  let port = PREFERRED_PORT;
  while (!(await isFree(port))) port++;
  if (port !== PREFERRED_PORT) say("stack", `port ${PREFERRED_PORT} is taken, so Caddy will listen on ${port} (edge.httpPort in Pulumi.${LOCAL_STACK}.yaml)`);
  return port;
}

async function isFree(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => {
      resolve(false);
    });
    server.listen(port, () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}

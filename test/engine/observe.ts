import { request } from "node:http";

import { z } from "zod";

import type { TenantInput } from "../../tenants/schema.ts";
import type { TestProject } from "../support/project.ts";

/** The shortest entry of a tenant on the test host, with more where a test needs it. */
export function entry(project: Pick<TestProject, "port">, index: number, id: string, more: Partial<TenantInput> = {}): TenantInput {
  return { id, name: `Client ${id}`, host: "local", port: project.port(index), size: "small", ...more };
}

const Steps = z.object({ steps: z.array(z.object({ op: z.string(), urn: z.string() })) });

/** What a preview would do, `replace Container local-load`, sorted; what stays the same is left out. Throws when the preview fails. */
export async function previewSteps(project: TestProject): Promise<string[]> {
  const { exitCode, output, stdout } = await project.pulumi(["preview", "--json"]);
  if (exitCode !== 0) throw new Error(`pulumi preview ended with ${exitCode}:\n${output}`);
  return Steps.parse(JSON.parse(stdout))
    .steps.filter(({ op }) => op !== "same")
    .map(({ op, urn }) => `${op} ${/\w+(?=::[^:]+$)/.exec(urn)?.[0] ?? ""} ${urn.split("::").at(-1) ?? ""}`)
    .toSorted();
}

/** Everything that belongs to one active tenant, as `previewSteps` writes it. */
export function wholeTenant(op: "create" | "delete", id: string): string[] {
  return [
    ...runningPart(op, id),
    `${op} Gateway ${id}`,
    `${op} RandomPassword ${id}-hooks-token`,
    `${op} RandomPassword ${id}-token`,
    `${op} RandomUuid ${id}-owner`,
    `${op} Volume ${id}-state`,
    `${op} Volume ${id}-workspace`,
  ].toSorted();
}

/** What a suspended tenant does without. */
export function runningPart(op: "create" | "delete" | "replace", id: string): string[] {
  return [
    `${op} Container ${id}-config`,
    `${op} Container ${id}-gateway`,
    `${op} Container ${id}-prepare`,
    `${op} Network ${id}-network`,
    `${op} Volume ${id}-config`,
  ].toSorted();
}

/** Docker's own word on every container of the stack by name: replaced, restarted or stopped, one of the two differs. */
export async function containersOf(project: Pick<TestProject, "docker" | "stack">): Promise<Record<string, { id: string; startedAt: string }>> {
  const ids = lines(await project.docker("ps", "--all", "--quiet", "--filter", `label=openclaw-tenants.stack=${project.stack}`));
  if (ids.length === 0) return {};
  const said = await project.docker("inspect", "--format", "{{.Name}} {{.Id}} {{.State.StartedAt}}", ...ids);
  return Object.fromEntries(
    lines(said).map((line) => {
      const [name = "", id = "", startedAt = ""] = line.split(" ");
      return [name.replace(`/openclaw-${project.stack}`, "").replace(/^[-.]/, ""), { id, startedAt }];
    }),
  );
}

/** A part of what `containersOf` returns. */
export function without<T>(all: Readonly<Record<string, T>>, ...names: string[]): Record<string, T> {
  return Object.fromEntries(Object.entries(all).filter(([name]) => !names.includes(name)));
}

/** Names of the stack's volumes, or of one role's. */
export async function volumesOf(project: TestProject, ...filters: string[]): Promise<string[]> {
  return lines(
    await project.docker(
      "volume",
      "ls",
      "--quiet",
      ...[`stack=${project.stack}`, ...filters].flatMap((filter) => ["--filter", `label=openclaw-tenants.${filter}`]),
    ),
  ).toSorted();
}

/** Content of one file in a volume, read by a container of its own. */
export async function readVolume(project: TestProject, image: string, volume: string, path: string): Promise<string> {
  return project.docker("run", "--rm", "--network", "none", "--volume", `${volume}:/data:ro`, "--entrypoint", "cat", image, `/data/${path}`);
}

export interface Answer {
  status: number;
  body: string;
}

/** Asks the stack's Caddy for a path of `<name>.localhost`; status 0 when nobody answers. */
export async function ask(project: Pick<TestProject, "httpPort">, name: string, path = "/healthz", headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve) => {
    const host = `${name}.localhost:${project.httpPort}`;
    const asked = request({ host: "127.0.0.1", port: project.httpPort, path, headers: { host, ...headers }, timeout: 60_000 }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (body += chunk));
      response.on("close", () => {
        resolve({ status: response.statusCode ?? 0, body });
      });
    });
    asked.on("timeout", () => asked.destroy());
    asked.on("error", () => {
      resolve({ status: 0, body: "" });
    });
    asked.end();
  });
}

export function lines(text: string): string[] {
  return text.split("\n").filter(Boolean);
}

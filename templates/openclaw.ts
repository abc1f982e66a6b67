import { readFileSync } from "node:fs";

import JSON5 from "json5";

import { type JsonObject, merge } from "../lib/json.ts";
import type { Tenant } from "../tenants/schema.ts";

const template: JsonObject = JSON5.parse(readFileSync(new URL("openclaw.json5", import.meta.url), "utf8"));

/** Port on which OpenClaw listens for Telegram inside the container. */
export const WEBHOOK_PORT = 8787;
/** Path that Telegram calls. */
export const WEBHOOK_PATH = "/telegram-webhook";

/** Never the name of a skill: an empty allow-list means every bundled skill. */
const NO_BUNDLED_SKILL = "-";

export interface GatewayConfigArgs {
  tenant: Pick<Tenant, "id" | "name" | "expose" | "model" | "telegram" | "skills">;
  /** Address of the Control UI from outside, `https://acme.example.com`. */
  url: string;
  /** Address of its Control UI at the end of an operator's tunnel. Absent: operators are on the machine itself. */
  tunnelUrl: string | undefined;
  /** Whose forwarded client addresses OpenClaw believes. Empty: Caddy forwards none. */
  trustedProxies: readonly string[];
  /** Directories in the container with skills that the tenant may use. */
  skillDirs: readonly string[];
  /** Skills of the shared library that this tenant does not use. */
  disabledSkills: readonly string[];
  otlpEndpoint: string | undefined;
}

/** `openclaw.json` of one tenant, without its overlay and without any secret's value. */
export function renderGatewayConfig({ tenant, url, tunnelUrl, trustedProxies, skillDirs, disabledSkills, otlpEndpoint }: GatewayConfigArgs): JsonObject {
  const { expose, skills } = tenant;
  const isExposed = (part: Tenant["expose"][number]): boolean => expose.includes(part);

  return [
    {
      gateway: {
        // OpenClaw takes plain http for bare loopback names only.
        ...(url.startsWith("https:") ? { publicOrigin: url } : {}),
        trustedProxies: [...trustedProxies],
        // Caddy alone decides who gets to it from outside; an operator's tunnel always does.
        controlUi: {
          enabled: isExposed("controlUi") || tunnelUrl !== undefined,
          allowedOrigins: tunnelUrl === undefined ? [url] : [url, tunnelUrl],
          environment: { label: withoutReferences(tenant.name), color: "teal" },
        },
        http: { endpoints: { chatCompletions: { enabled: isExposed("api") }, responses: { enabled: isExposed("api") } } },
      },
      skills: {
        allowBundled: skills.bundled.length > 0 ? [...skills.bundled] : [NO_BUNDLED_SKILL],
        load: { extraDirs: [...skillDirs] },
        entries: Object.fromEntries(disabledSkills.map((name) => [name, { enabled: false }])),
      },
      plugins: { allow: pluginsOf(tenant, otlpEndpoint) },
    },
    isExposed("hooks")
      ? { hooks: { enabled: true, path: "/hooks", token: "${OPENCLAW_HOOKS_TOKEN}", allowedAgentIds: ["main"], allowRequestSessionKey: false } }
      : {},
    tenant.model === undefined ? {} : renderModel(tenant.model),
    tenant.telegram === undefined ? {} : { channels: { telegram: renderTelegram(tenant.telegram, url) } },
    otlpEndpoint === undefined ? {} : renderTelemetry(otlpEndpoint, tenant.id),
  ].reduce<JsonObject>((config, part) => merge(config, part), template);
}

function renderModel({ primary, fallbacks, providers }: NonNullable<Tenant["model"]>): JsonObject {
  const rendered = Object.entries(providers).map(([id, { apiKey, models, ...provider }]) => [
    id,
    { ...provider, ...(apiKey === undefined ? {} : { apiKey: fromEnv(apiKey) }), models: models.map((model) => ({ ...model, name: model.name ?? model.id })) },
  ]);
  return {
    agents: { defaults: { model: { primary, fallbacks } } },
    ...(rendered.length === 0 ? {} : { models: { mode: "merge", providers: Object.fromEntries(rendered) as JsonObject } }),
  };
}

function renderTelegram({ mode, ...policies }: NonNullable<Tenant["telegram"]>, url: string): JsonObject {
  const channel: JsonObject = { enabled: true, botToken: fromEnv("TELEGRAM_BOT_TOKEN"), configWrites: false, ...policies };
  switch (mode) {
    case "polling":
      return channel;
    case "webhook":
      return {
        ...channel,
        webhookUrl: `${url}${WEBHOOK_PATH}`,
        webhookSecret: fromEnv("TELEGRAM_WEBHOOK_SECRET"),
        webhookPath: WEBHOOK_PATH,
        // Inside the container; published on the host's loopback only.
        webhookHost: "0.0.0.0",
        webhookPort: WEBHOOK_PORT,
      };
  }
}

function renderTelemetry(endpoint: string, id: string): JsonObject {
  return {
    diagnostics: {
      enabled: true,
      otel: { enabled: true, endpoint, protocol: "http/protobuf", serviceName: `openclaw-${id}`, traces: true, metrics: true, logs: false },
    },
    plugins: { entries: { "diagnostics-otel": { enabled: true } } },
  };
}

/** Only what the entry uses is loaded: the memory, the operator's calls, the channel, and the providers of its models. */
function pluginsOf({ model, telegram }: Pick<Tenant, "model" | "telegram">, otlpEndpoint: string | undefined): string[] {
  const own = Object.keys(model?.providers ?? {});
  const providers = [model?.primary, ...(model?.fallbacks ?? [])].flatMap((reference) => reference?.split("/", 1) ?? []).filter((id) => !own.includes(id));
  return [
    ...new Set([
      "admin-http-rpc",
      "memory-core",
      ...(telegram === undefined ? [] : ["telegram"]),
      ...(otlpEndpoint === undefined ? [] : ["diagnostics-otel"]),
      ...providers,
    ]),
  ].toSorted();
}

/** OpenClaw reads "${NAME}" in any string from the environment, where its tokens are; a doubled dollar keeps it text. */
function withoutReferences(text: string): string {
  return text.replaceAll(/\$\{[A-Z][A-Z0-9_]*\}/g, (reference) => `$${reference}`);
}

function fromEnv(id: string): JsonObject {
  return { source: "env", provider: "default", id };
}

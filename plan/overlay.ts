import { isCredentialField } from "../lib/credential.ts";
import { isObject, type Json, type JsonObject, merge } from "../lib/json.ts";
import type { Tenant } from "../tenants/schema.ts";
import { planSecrets } from "./secrets.ts";

/** Parts of `openclaw.json` that keep a tenant apart from its neighbours, or that other fields of its entry decide. `*` is any one key. */
export const LOCKED_PATHS: readonly string[] = [
  "$include",
  "agents.defaults.sandbox.docker",
  "agents.defaults.workspace",
  "agents.entries.*.agentDir",
  "agents.entries.*.sandbox.docker",
  "agents.entries.*.tools.elevated",
  "agents.entries.*.tools.exec.host",
  "agents.entries.*.workspace",
  "browser",
  "channels.telegram.accounts",
  "channels.telegram.apiRoot",
  "channels.telegram.botToken",
  "channels.telegram.configWrites",
  "channels.telegram.enabled",
  "channels.telegram.tokenFile",
  "channels.telegram.webhookHost",
  "channels.telegram.webhookPath",
  "channels.telegram.webhookPort",
  "channels.telegram.webhookSecret",
  "channels.telegram.webhookUrl",
  "cloudWorkers",
  "cron.webhookToken",
  "desktop",
  "diagnostics.otel",
  "discovery",
  "env",
  "gateway",
  "hooks",
  "logging.file",
  "plugins",
  "secrets",
  "security",
  "skills.allowBundled",
  "skills.install",
  "skills.load",
  "telemetry",
  "tools.elevated",
  "tools.exec.host",
  "update",
];

/** The rendered config with the tenant's overlay on top. Objects merge, everything else is taken from the overlay. */
export function applyOverlay(rendered: JsonObject, overlay: JsonObject | undefined): JsonObject {
  return overlay === undefined ? rendered : merge(rendered, overlay);
}

/** Why a tenant's overlay may not be merged: locked paths, includes, credentials in plain text, references to secrets that nobody sets. */
export function findOverlayMistakes(tenant: Pick<Tenant, "id" | "env" | "telegram" | "model" | "config">): string[] {
  const declared = planSecrets(tenant);
  const where = (path: string): string => `tenant "${tenant.id}", field config.${path}`;
  const mistakes: string[] = [];

  for (const { path, key, value } of walk(tenant.config ?? {})) {
    if (isLocked(path)) mistakes.push(`${where(path)}: this path is locked, because it isolates the tenant or follows from other fields; remove it`);
    // Anything but an object would replace what lies below, locked parts and all.
    else if (!isObject(value) && isAboveLocked(path))
      mistakes.push(`${where(path)}: parts of it are locked, so it can only be an object; write the keys you change`);
    else if (key === "$include") mistakes.push(`${where(path)}: files cannot be included; write the values here`);
    else if (typeof value === "string") {
      for (const [, escaped, name = ""] of value.matchAll(/(\$?)\$\{([A-Z][A-Z0-9_]*)\}/g)) {
        if (escaped === "" && !declared.includes(name)) mistakes.push(`${where(path)}: \${${name}} is not a secret of this tenant; add "${name}" to env`);
      }
      if (isCredentialField(key) && !/^\$\{[A-Z][A-Z0-9_]*\}$/.test(value))
        mistakes.push(`${where(path)}: a credential in plain text; set it as a secret and write "\${NAME}"`);
    } else if (isObject(value) && typeof value["source"] === "string") {
      const { source, id } = value;
      if (source !== "env") mistakes.push(`${where(path)}: secrets come from "env" here, not from ${JSON.stringify(source)}`);
      else if (typeof id !== "string" || !declared.includes(id))
        mistakes.push(`${where(path)}: ${JSON.stringify(id)} is not a secret of this tenant; add it to env`);
    }
  }
  return mistakes;
}

function isLocked(path: string): boolean {
  const keys = path.split(".");
  return LOCKED_PATHS.some((locked) => locked.split(".").length === keys.length && startsWith(locked, keys));
}

function isAboveLocked(path: string): boolean {
  const keys = path.split(".");
  return LOCKED_PATHS.some((locked) => locked.split(".").length > keys.length && startsWith(locked, keys));
}

function startsWith(locked: string, keys: readonly string[]): boolean {
  const parts = locked.split(".");
  return keys.every((key, index) => parts[index] === "*" || parts[index] === key);
}

/** Every value below an object with its dotted path; below a locked path it goes no deeper. */
function* walk(value: Json, path = ""): Generator<{ path: string; key: string; value: Json }> {
  if (typeof value !== "object" || value === null) return;
  for (const [key, child] of Object.entries(value)) {
    const at = path === "" ? key : `${path}.${key}`;
    yield { path: at, key, value: child };
    if (!isLocked(at)) yield* walk(child, at);
  }
}

import { shortHash } from "../lib/hash.ts";
import { isObject, type JsonObject, stableJson } from "../lib/json.ts";

/**
 * What a running gateway was seen to take over without a restart (OpenClaw 2026.9.6; test/e2e/reload.test.ts). Its own restart can hang, so
 * everything else waits for a new container.
 */
export const HOT_PATHS: readonly string[] = [
  "agents.defaults.maxConcurrent",
  "agents.defaults.model",
  "channels.telegram.dmPolicy",
  "logging.level",
  "session.maintenance",
];

export interface ConfigFile {
  /** Carries the hash of all that needs a restart: such a change is a new file, and so a new container. */
  file: string;
  text: string;
}

/** Decides under which name a rendered config reaches its gateway. */
export function planConfigFile(config: JsonObject): ConfigFile {
  const cold = HOT_PATHS.reduce((rest, path) => without(rest, path.split(".")), config);
  return { file: `openclaw-${shortHash(stableJson(cold))}.json`, text: stableJson(config) };
}

function without(config: JsonObject, [key = "", ...rest]: readonly string[]): JsonObject {
  const { [key]: value, ...others } = config;
  if (value === undefined || rest.length === 0) return others;
  return { ...others, [key]: isObject(value) ? without(value, rest) : value };
}

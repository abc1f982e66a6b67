import { z } from "zod";

import { findImageMistakes } from "../lib/image.ts";

/** First port of a tenant; 18789 and everything below belong to the admin gateway. Source: the multi-tenant port plan. */
export const FIRST_PORT = 18801;
/** Last port of a tenant. */
export const LAST_PORT = 20000;
/** Ids that are taken for good: the admin gateway, and names a browser or a mail server gives a meaning of its own. */
export const RESERVED_IDS: readonly string[] = ["admin", "localhost", "mail", "www"];
/** Oldest OpenClaw that this program configures. */
export const OLDEST_VERSION = "2026.3.12";

/** Names that the hardened container sets itself; a tenant that could set them could loosen it. */
const RESERVED_ENV = /^(OPENCLAW_|NODE_|npm_|LD_|XDG_|MALLOC_|V8_|SSL_|GIT_|PATH$|HOME$|TMPDIR$|SHELL$|USER$)/i;

/** Becomes a container name, a volume name and a DNS label, so it obeys the strictest of the three. */
const TenantId = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,28}[a-z0-9]$/, "use 2-30 lowercase letters, digits or dashes, starting with a letter and not ending in a dash")
  .refine((id) => !RESERVED_IDS.includes(id), { error: `this id is reserved; the reserved ones are ${RESERVED_IDS.join(", ")}` });

/** Name of a secret as the container sees it. Its value lives in the stack's encrypted config. */
const SecretName = z
  .string()
  .regex(/^[A-Z][A-Z0-9_]{1,63}$/, "use upper-case letters, digits and underscores, starting with a letter")
  .refine((name) => !RESERVED_ENV.test(name), { error: "this name is set by the container itself; choose another" });

/** `provider/model`, as OpenClaw writes it. */
const ModelRef = z.string().regex(/^[a-z0-9][\w.-]*\/[\w./:@-]+$/i, "write it as provider/model, for example anthropic/claude-sonnet-5");

const SkillName = z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, "use the skill's directory name: lowercase letters, digits and dashes");

/** Numeric Telegram user or chat id, or `*` for everybody. */
const TelegramId = z.string().regex(/^(\*|-?\d{3,20})$/, 'use the numeric Telegram id as a string, or "*" for everybody');

/** US dollars per million tokens. */
const Price = z.number().min(0).max(10_000);

const CustomModel = z.strictObject({
  id: z.string().min(1),
  /** Shown in the Control UI. Default: the id. */
  name: z.string().min(1).optional(),
  reasoning: z.boolean().default(false),
  input: z
    .array(z.enum(["text", "image"]))
    .min(1)
    .default(["text"]),
  /** Tokens. */
  contextWindow: z.int().min(1024),
  /** Tokens per answer. */
  maxTokens: z.int().min(1),
  /** What usage metering counts with. */
  cost: z.strictObject({ input: Price, output: Price, cacheRead: Price.default(0), cacheWrite: Price.default(0) }),
});

const ModelProvider = z.strictObject({
  baseUrl: z.url({ protocol: /^https?$/ }),
  api: z.enum(["openai-completions", "openai-responses", "anthropic-messages", "google-generative-ai", "ollama"]),
  /** Name of the secret that holds the provider's key; required from then on. Default: no key is sent. */
  apiKey: SecretName.optional(),
  models: z.array(CustomModel).min(1),
});

const Model = z.strictObject({
  primary: ModelRef,
  /** Tried in this order when the primary fails. */
  fallbacks: z.array(ModelRef).max(8).default([]),
  /** Providers of the tenant's own, by the prefix their models carry. */
  providers: z.record(z.string().regex(/^[a-z][a-z0-9-]{0,30}$/, "use lowercase letters, digits or dashes"), ModelProvider).default({}),
});

const Telegram = z
  .strictObject({
    /** `polling` needs nothing inbound; `webhook` needs a public https address and the secret TELEGRAM_WEBHOOK_SECRET. */
    mode: z.enum(["polling", "webhook"]).default("polling"),
    /** Who may write to the bot: after pairing, only `allowFrom`, everybody, or nobody. */
    dmPolicy: z.enum(["pairing", "allowlist", "open", "disabled"]).default("pairing"),
    groupPolicy: z.enum(["allowlist", "open", "disabled"]).default("disabled"),
    allowFrom: z.array(TelegramId).default([]),
    groupAllowFrom: z.array(TelegramId).default([]),
  })
  .check(({ value, issues }) => {
    const complain = (path: string, message: string): void => {
      issues.push({ code: "custom", input: value, path: [path], message });
    };
    // OpenClaw only warns about these, and then drops every message.
    if (value.dmPolicy === "open" && !value.allowFrom.includes("*")) complain("allowFrom", 'dmPolicy "open" drops every message unless allowFrom contains "*"');
    if (value.dmPolicy === "allowlist" && value.allowFrom.length === 0)
      complain("allowFrom", 'dmPolicy "allowlist" with an empty allowFrom drops every message; list at least one id');
    if (value.dmPolicy !== "open" && value.allowFrom.includes("*")) complain("allowFrom", '"*" admits everybody; say so with dmPolicy "open"');
    if (value.groupPolicy === "allowlist" && value.groupAllowFrom.length === 0)
      complain("groupAllowFrom", 'groupPolicy "allowlist" with an empty groupAllowFrom drops every message; list at least one id');
  });

const Skills = z
  .strictObject({
    /** Which skills of the shared library (`skills/`) the tenant may use. */
    shared: z.union([z.literal("all"), z.array(SkillName)]).default("all"),
    /** Which of OpenClaw's bundled skills. Default: none. */
    bundled: z.array(SkillName).default([]),
    /** Reads what the authoring instance wrote. */
    authored: z.boolean().default(false),
    /** This is the authoring instance: it alone writes the directory that others read. At most one in the fleet. */
    author: z.boolean().default(false),
  })
  .refine(({ author, authored }) => !(author && authored), {
    error: "the authoring instance has its own directory already; drop one of the two",
    path: ["authored"],
  });

/** Single limits that differ from the size's, within bounds that boot (facts: 1 GiB is killed by a second process). */
const Limits = z.strictObject({
  /** MiB; swap is off, so this is everything the tenant gets. */
  memoryMb: z.int().min(1280).max(65_536).optional(),
  cpus: z.number().min(0.25).max(64).multipleOf(0.01).optional(),
  pids: z.int().min(128).max(4096).optional(),
  /** MiB of V8 old space. */
  heapMb: z.int().min(384).max(32_768).optional(),
});

/** A full image reference of OpenClaw: version tag and digest. */
export const GatewayImage = z.string().check(({ value, issues }) => {
  for (const message of findImageMistakes(value, { product: "OpenClaw", oldest: OLDEST_VERSION })) {
    issues.push({ code: "custom", input: value, message });
  }
});

export const Tenant = z.strictObject({
  id: TenantId,
  /** The client's name, for people. */
  name: z.string().trim().min(1).max(80),
  /** Key of `settings.hosts`: placement is a decision that a reviewer sees. */
  host: z.string(),
  /** Loopback port on that host, unique in the fleet and permanent; it also picks the tenant's subnet. */
  port: z.int().min(FIRST_PORT, `tenant ports start at ${FIRST_PORT}; 18789 belongs to the admin gateway`).max(LAST_PORT),
  /** Memory, CPUs, pids and heap; figures in plan/limits.ts. */
  size: z.enum(["small", "standard", "large"]).default("standard"),
  limits: Limits.prefault({}),
  /** `suspended` takes container and route away; data, tokens and DNS stay. */
  status: z.enum(["active", "suspended"]).default("active"),
  /** Default: OpenClaw's own choice, which needs no key to start. */
  model: Model.optional(),
  /** Absent: the channel is off. Present: the secret TELEGRAM_BOT_TOKEN is required. */
  telegram: Telegram.optional(),
  /** Secrets the tenant needs. Values: `pulumi config set --secret --path 'secrets.<id>.<NAME>'`. */
  env: z.array(SecretName).default([]),
  /** What Caddy routes from outside. `/healthz` always is; `/tools/*` and `/api/v1/*` never are. */
  expose: z.array(z.enum(["hooks", "controlUi", "api"])).default([]),
  skills: Skills.prefault({}),
  /** Whether it runs `settings.canaryImage`, which new versions reach first. */
  canary: z.boolean().default(false),
  /** Another image for this tenant alone, whatever the settings say. Default: `settings.canaryImage` of a canary, else `settings.image`. */
  image: GatewayImage.optional(),
  /** Merged into the rendered `openclaw.json`, except under the locked paths of plan/overlay.ts. */
  config: z.record(z.string(), z.json()).optional(),
  /** Takes over data that a removed tenant of this id left on the host. */
  adopt: z.boolean().default(false),
  /** Host that the tenant comes from: with `host` changed, its data is carried over while it is stopped. May stay or go once it has moved. */
  moveFrom: z.string().optional(),
});

export type Tenant = z.output<typeof Tenant>;
export type TenantInput = z.input<typeof Tenant>;
/** One exposed part of a gateway. */
export type Exposed = Tenant["expose"][number];

/** Types a list while it is written; the program parses it again when it runs. */
export function defineTenants(tenants: readonly TenantInput[]): readonly TenantInput[] {
  return tenants;
}

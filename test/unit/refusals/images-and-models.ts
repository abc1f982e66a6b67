import { house, tenant } from "../../support/fleet.ts";
import { acme, digest, type Refusal } from "./refusal.ts";

/** Images that are not pinned, not named or too old. */
export const images: Refusal[] = [
  {
    name: "an image without a digest",
    tenants: [tenant({ image: "openclaw/openclaw:2026.9.6" })],
    line: acme('image "openclaw/openclaw:2026.9.6": it is not pinned; write name:version@sha256:digest'),
  },
  {
    name: "the image latest, pinned or not",
    tenants: [tenant({ image: `claw:latest@${digest}` })],
    line: acme(`image "claw:latest@sha256:${"b".repeat(37)}...: the tag must be a version of OpenClaw, 2026.3.12 or later, not a moving name`),
  },
  {
    name: "an image with a digest alone",
    tenants: [tenant({ image: `claw@${digest}` })],
    line: acme(`image "claw@sha256:${"b".repeat(44)}...: the tag must be a version of OpenClaw, 2026.3.12 or later, not a moving name`),
  },
  {
    name: "an image with half a digest",
    tenants: [tenant({ image: "claw:2026.9.6@sha256:bbbb" })],
    line: acme('image "claw:2026.9.6@sha256:bbbb": it is not pinned; write name:version@sha256:digest'),
  },
  {
    name: "an OpenClaw from before 2026.3.12",
    tenants: [tenant({ image: `claw:2026.3.11@${digest}` })],
    line: acme(`image "claw:2026.3.11@sha256:${"b".repeat(34)}...: version 2026.3.11 of OpenClaw is too old; the oldest supported one is 2026.3.12`),
  },
  {
    name: "a fleet's image that is too old",
    settings: { image: `claw:2025.12.31@${digest}` },
    line: `field image "claw:2025.12.31@sha256:${"b".repeat(33)}...: version 2025.12.31 of OpenClaw is too old; the oldest supported one is 2026.3.12`,
  },
  {
    name: "a Caddy without what the routes use",
    settings: { caddyImage: `caddy:2.7.6@${digest}` },
    line: `field caddyImage "caddy:2.7.6@sha256:${"b".repeat(37)}...: version 2.7.6 of Caddy is too old; the oldest supported one is 2.8.0`,
  },
  {
    name: "a Caddy that is not pinned",
    settings: { caddyImage: "caddy:2.11.4" },
    line: 'field caddyImage "caddy:2.11.4": it is not pinned; write name:version@sha256:digest',
  },
];

/** Models that nobody serves. */
export const models: Refusal[] = [
  {
    name: "a model without a provider",
    tenants: [tenant({ model: { primary: "gpt" } })],
    line: acme('model.primary "gpt": write it as provider/model, for example anthropic/claude-sonnet-5'),
  },
  {
    name: "a model of OpenAI that needs a package from the internet",
    tenants: [tenant({ model: { primary: "anthropic/claude-sonnet-5", fallbacks: ["openai/gpt-5.4"] } })],
    line: acme('model "openai/gpt-5.4": models of OpenAI run through model.providers; declare one with api "openai-responses" under a name of your own'),
  },
  {
    name: "a model that its provider does not have",
    tenants: [tenant({ model: { primary: "house/large", providers: { house } } })],
    line: acme('model "house/large": provider "house" has no such model; it has small'),
  },
  {
    name: "a provider at an address that is none",
    tenants: [tenant({ model: { primary: "house/small", providers: { house: { ...house, baseUrl: "llm.example.com" } } } })],
    line: acme('model.providers.house.baseUrl "llm.example.com": invalid URL'),
  },
  {
    name: "a provider with a model without prices",
    tenants: [
      { ...tenant(), model: { primary: "house/small", providers: { house: { ...house, models: [{ id: "small", contextWindow: 8192, maxTokens: 1024 }] } } } },
    ],
    line: acme("model.providers.house.models[0].cost: missing"),
  },
];

import { house, tenant } from "../../support/fleet.ts";
import type { Refusal } from "./refusal.ts";

const webhook = { host: "server", telegram: { mode: "webhook" } } as const;

const needs = (name: string, id = "acme"): string =>
  `tenant "${id}" needs the secret ${name}; set it with: pulumi config set --stack test --secret --path 'openclaw-tenants:secrets.${id}.${name}'`;

/** Secrets that an entry asks for and the stack does not have. */
export const secrets: Refusal[] = [
  { name: "a declared secret that is not set", tenants: [tenant({ env: ["NOTION_API_KEY"] })], line: needs("NOTION_API_KEY") },
  {
    name: "a secret that only another tenant has",
    tenants: [tenant({ env: ["NOTION_API_KEY"] })],
    over: { secrets: { globex: ["NOTION_API_KEY"] } },
    line: needs("NOTION_API_KEY"),
  },
  {
    name: "a secret of a tenant by the name of what every object has",
    tenants: [tenant({ id: "constructor", env: ["NOTION_API_KEY"] })],
    line: needs("NOTION_API_KEY", "constructor"),
  },
  { name: "a Telegram channel without its bot token", tenants: [tenant({ telegram: {} })], line: needs("TELEGRAM_BOT_TOKEN") },
  {
    name: "a webhook without its secret",
    tenants: [tenant(webhook)],
    over: { secrets: { acme: ["TELEGRAM_BOT_TOKEN"] } },
    line: needs("TELEGRAM_WEBHOOK_SECRET"),
  },
  {
    name: "a provider without its key",
    tenants: [tenant({ model: { primary: "house/small", providers: { house: { ...house, apiKey: "HOUSE_API_KEY" } } } })],
    line: needs("HOUSE_API_KEY"),
  },
];

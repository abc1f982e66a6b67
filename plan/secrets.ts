import { ownValue } from "../lib/own.ts";
import type { Tenant } from "../tenants/schema.ts";

/** Names of the secrets in the stack's config, by tenant. Values never come here. */
export type SecretNames = Readonly<Record<string, readonly string[]>>;

/** Every secret a tenant's entry asks for: what it declares, its channel's, its providers'. Sorted, each once. */
export function planSecrets({ env, telegram, model }: Pick<Tenant, "env" | "telegram" | "model">): string[] {
  const names = new Set(env);
  if (telegram !== undefined) names.add("TELEGRAM_BOT_TOKEN");
  if (telegram?.mode === "webhook") names.add("TELEGRAM_WEBHOOK_SECRET");
  for (const { apiKey } of Object.values(model?.providers ?? {})) if (apiKey !== undefined) names.add(apiKey);
  return [...names].toSorted();
}

/** One line per secret that a tenant needs and the stack does not have, with the command that sets it. */
export function findMissingSecrets(tenant: Tenant, stack: string, known: SecretNames): string[] {
  return planSecrets(tenant)
    .filter((name) => ownValue(known, tenant.id)?.includes(name) !== true)
    .map(
      (name) =>
        `tenant "${tenant.id}" needs the secret ${name}; set it with: pulumi config set --stack ${stack} --secret --path 'openclaw-tenants:secrets.${tenant.id}.${name}'`,
    );
}

import { ownValue } from "../lib/own.ts";
import type { Tenant } from "../tenants/schema.ts";

/** What is wrong with a tenant's choice of models, a line each. */
export function findModelMistakes({ id, model }: Pick<Tenant, "id" | "model">): string[] {
  if (model === undefined) return [];
  return [model.primary, ...model.fallbacks].flatMap((reference) => {
    const [provider = "", ...rest] = reference.split("/");
    const own = ownValue(model.providers, provider);
    if (own === undefined) {
      // It would run on the codex plug-in, which is off: at start that looks for a package from the internet.
      return provider === "openai"
        ? [
            `tenant "${id}", field model ${JSON.stringify(reference)}: models of OpenAI run through model.providers; declare one with api "openai-responses" under a name of your own`,
          ]
        : [];
    }
    const known = own.models.map((each) => each.id);
    return known.includes(rest.join("/"))
      ? []
      : [`tenant "${id}", field model ${JSON.stringify(reference)}: provider "${provider}" has no such model; it has ${known.join(", ")}`];
  });
}

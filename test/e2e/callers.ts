import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { execa } from "execa";
import { z } from "zod";

import type { CloudProject } from "../support/cloud-project.ts";

const SHOWN = "AuthenticatedOriginPullsCertificate";
/** A state as it is exported with its secrets. */
const State = z.object({
  deployment: z.object({ resources: z.array(z.looseObject({ type: z.string(), inputs: z.record(z.string(), z.unknown()).default({}) })) }),
});
/** The engine writes a secret as JSON within JSON. */
const Secret = z.object({ plaintext: z.string().transform((text) => z.string().parse(JSON.parse(text))) });

/** Every header by which a client may say where it comes from, and the one by which Cloudflare says so. */
export function claims(client: string, cloudflare: string): Record<string, string> {
  return { "X-Forwarded-For": client, "X-Real-Ip": client, Forwarded: `for=${client}`, "Cf-Connecting-Ip": cloudflare };
}

/** Arguments by which curl shows what Cloudflare was given to show for this zone, and what anybody could have made. The files lie in `dir`. */
export async function makeCallers(project: CloudProject, dir: string): Promise<Record<"zone" | "other", string[]>> {
  const argsOf = (name: string): string[] => ["--cert", join(dir, `${name}.pem`), "--key", join(dir, `${name}.key`)];
  const given = Object.values(project.records("cloudflare").items).find(({ type }) => type === SHOWN);
  // An account never tells a private key again.
  const { stdout } = await project.pulumi(["stack", "export", "--show-secrets"]);
  const kept = State.parse(JSON.parse(stdout)).deployment.resources.find(({ type }) => type.endsWith(`:${SHOWN}`));
  writeFileSync(join(dir, "zone.pem"), z.string().parse(given?.inputs["certificate"]));
  writeFileSync(join(dir, "zone.key"), Secret.parse(kept?.inputs["privateKey"]).plaintext);
  const own = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-subj", "/CN=Cloudflare"];
  await execa("openssl", ["req", ...own, "-keyout", join(dir, "other.key"), "-out", join(dir, "other.pem")]);
  return { zone: argsOf("zone"), other: argsOf("other") };
}

import fc from "fast-check";

import { capacityOf, planLimits } from "../../plan/limits.ts";
import { planSecrets, type SecretNames } from "../../plan/secrets.ts";
import { FIRST_PORT, LAST_PORT, RESERVED_IDS, Tenant, type TenantInput } from "../../tenants/schema.ts";
import { hetznerHost, hetznerSettings, house } from "./fleet.ts";

const CPUS = 8;

/** Room for every list that the arbitraries make, and hosts of every kind. */
export const roomy = hetznerSettings({
  hosts: {
    laptop: { kind: "docker", memoryMb: 100_000_000, cpus: CPUS },
    server: { kind: "docker", endpoint: "ssh://root@server.example.com", memoryMb: 100_000_000, cpus: CPUS, edge: { public: true } },
    // Docker Desktop.
    desktop: { kind: "docker", endpoint: "ssh://ann@desktop.example.com", memoryMb: 100_000_000, cpus: CPUS, edge: { network: "bridge" } },
    // The largest of Hetzner's, behind Cloudflare.
    metal: hetznerHost({ serverType: "ccx63", location: "hel1" }),
  },
});

const ids = fc
  .oneof(
    fc.stringMatching(/^[a-z][a-z0-9-]{0,28}[a-z0-9]$/),
    fc.constantFrom("constructor", "edge", "a--b", "a-b", "state", "laptop", "server", "laptop-edge", "laptop-caddy-image", "metal"),
  )
  .filter((id) => !RESERVED_IDS.includes(id));

const secretNames = fc.uniqueArray(fc.constantFrom("ANTHROPIC_API_KEY", "NOTION_API_KEY", "HUBSPOT_TOKEN", "SMTP_PASSWORD", "HOUSE_API_KEY"), { maxLength: 4 });

const telegram = fc.constantFrom<NonNullable<TenantInput["telegram"]>[]>(
  {},
  { dmPolicy: "open", allowFrom: ["*"] },
  { dmPolicy: "allowlist", allowFrom: ["1234567"], groupPolicy: "allowlist", groupAllowFrom: ["-100123"] },
  { mode: "webhook" },
);

const model = fc.oneof(
  fc.constant<TenantInput["model"]>({ primary: "anthropic/claude-sonnet-5", fallbacks: ["openrouter/auto"] }),
  fc.constant<TenantInput["model"]>({
    primary: "house/small",
    providers: {
      house: { ...house, apiKey: "HOUSE_API_KEY" },
    },
  }),
);

const config = fc.oneof(
  fc.record({ logging: fc.record({ level: fc.constantFrom("debug", "info", "warn") }) }),
  fc.record({ session: fc.record({ maintenance: fc.record({ maxEntries: fc.integer({ min: 10, max: 5000 }) }) }) }),
  fc.record({ tools: fc.record({ profile: fc.constantFrom("minimal", "full"), deny: fc.constant<string[]>([]) }) }),
);

/** Any tenant that the schema accepts, hosts and limits included; webhooks only where Telegram can call. */
const tenants: fc.Arbitrary<TenantInput> = fc
  .record(
    {
      id: ids,
      name: fc.string({ minLength: 1, maxLength: 80 }).filter((name) => name.trim() !== ""),
      host: fc.constantFrom("laptop", "server", "desktop", "metal"),
      port: fc.integer({ min: FIRST_PORT, max: LAST_PORT }),
      size: fc.constantFrom("small", "standard", "large"),
      limits: fc.record(
        {
          memoryMb: fc.integer({ min: 1280, max: 65_536 }),
          cpus: fc.integer({ min: 1, max: 4 * CPUS }).map((quarters) => quarters / 4),
          pids: fc.integer({ min: 128, max: 4096 }),
          heapMb: fc.integer({ min: 384, max: 32_768 }),
        },
        { requiredKeys: [] },
      ),
      status: fc.constantFrom("active", "suspended"),
      model,
      telegram,
      env: secretNames,
      expose: fc.uniqueArray(fc.constantFrom("hooks", "controlUi", "api")),
      skills: fc.record(
        { shared: fc.constantFrom<string[] | "all">("all", [], ["house-style"]), bundled: fc.constantFrom<string[]>([], ["weather"]) },
        { requiredKeys: [] },
      ),
      config,
      adopt: fc.boolean(),
    },
    { requiredKeys: ["id", "name", "host", "port"] },
  )
  .map((entry) => ({ ...entry, ...(entry.telegram?.mode === "webhook" && entry.host !== "metal" ? { host: "server" } : {}) }))
  .filter((entry) => Tenant.safeParse(entry).success && leavesRoomBesideHeap(entry));

/** Lists that are accepted as a whole. The first tenant may be the authoring instance and its neighbours read what it wrote. */
export const tenantLists: fc.Arbitrary<TenantInput[]> = fc.tuple(fc.array(tenants, { minLength: 1, maxLength: 12 }), fc.boolean()).map(([all, hasAuthor]) => {
  const list = withinMemory(all.filter(({ id, port }, index) => !all.slice(0, index).some((other) => other.id === id || other.port === port)));
  if (!hasAuthor) return list;
  return list.map((entry, index) => ({
    ...entry,
    skills: { ...entry.skills, ...(index === 0 ? { author: true } : { authored: entry.host === list[0]?.host }) },
  }));
});

/** All that the tenants of a list ask for. */
export function secretsFor(list: readonly TenantInput[]): SecretNames {
  return Object.fromEntries(list.map((entry) => [entry.id, planSecrets(Tenant.parse(entry))]));
}

/** A list without those that its largest server has no memory for. */
function withinMemory(list: readonly TenantInput[]): TenantInput[] {
  const { metal } = roomy.hosts;
  if (metal === undefined) throw new Error("there is no such host");
  const { memoryMb, reserveMb } = capacityOf(metal);
  let leftMb = memoryMb - reserveMb;
  return list.filter((entry) => {
    if (entry.host !== "metal") return true;
    const { memoryMb: askedMb } = planLimits(Tenant.parse(entry), CPUS);
    const fits = askedMb <= leftMb;
    if (fits) leftMb -= askedMb;
    return fits;
  });
}

function leavesRoomBesideHeap(entry: TenantInput): boolean {
  const { memoryMb, heapMb } = planLimits(Tenant.parse(entry), CPUS);
  return heapMb + 768 <= memoryMb;
}

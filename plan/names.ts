/** Everything Docker needs a name for. A dot cannot occur in a tenant's id, so no two of these are ever the same. */
export interface TenantNames {
  /** The gateway's container. */
  container: string;
  network: string;
  stateVolume: string;
  workspaceVolume: string;
  configVolume: string;
  /** Writes the config volume; never runs. */
  configContainer: string;
  /** Checks whose data it is and places seed files; runs once. */
  prepareContainer: string;
}

/** Names of one tenant's things on its host. */
export function nameTenant(stack: string, id: string): TenantNames {
  const base = `openclaw-${stack}-${id}`;
  return {
    container: base,
    network: base,
    stateVolume: `${base}.state`,
    workspaceVolume: `${base}.workspace`,
    configVolume: `${base}.config`,
    configContainer: `${base}.config`,
    prepareContainer: `${base}.prepare`,
  };
}

/** Names of what a host's tenants share. */
export function nameHost(
  stack: string,
  host: string,
): Record<"edge" | "routes" | "load" | "admin" | "caddyData" | "caddyConfig" | "skills" | "authored" | "authoredOwner" | "network", string> {
  const base = `openclaw-${stack}.${host}`;
  return {
    edge: `${base}.edge`,
    network: `${base}.edge`,
    routes: `${base}.routes`,
    load: `${base}.load`,
    admin: `${base}.caddy-admin`,
    caddyData: `${base}.caddy-data`,
    caddyConfig: `${base}.caddy-config`,
    skills: `${base}.skills`,
    authored: `${base}.authored`,
    authoredOwner: `${base}.authored`,
  };
}

/** Labels of everything this program makes, so that it is found again without the state. */
export function labelsOf(stack: string, role: string, tenant?: string): Record<string, string> {
  return { "openclaw-tenants.stack": stack, "openclaw-tenants.role": role, ...(tenant === undefined ? {} : { "openclaw-tenants.tenant": tenant }) };
}

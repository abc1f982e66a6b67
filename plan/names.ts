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
  /** Makes its directories on the data volume; runs once. */
  directoriesContainer: string;
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
    directoriesContainer: `${base}.directories`,
    prepareContainer: `${base}.prepare`,
  };
}

/** Names of what a host's tenants share. */
export function nameHost(
  stack: string,
  host: string,
): Record<"edge" | "load" | "admin" | "caddyData" | "caddyConfig" | "certificates" | "directories" | "skills" | "authored" | "network", string> {
  const base = `openclaw-${stack}.${host}`;
  return {
    edge: `${base}.edge`,
    network: `${base}.edge`,
    load: `${base}.load`,
    admin: `${base}.caddy-admin`,
    caddyData: `${base}.caddy-data`,
    caddyConfig: `${base}.caddy-config`,
    certificates: `${base}.certificates`,
    directories: `${base}.directories`,
    skills: `${base}.skills`,
    authored: `${base}.authored`,
  };
}

/** Name of a host's server, volume and addresses at Hetzner, where a server's name is a host name. */
export function nameMachine(stack: string, host: string): string {
  return `openclaw-${stack}-${host}`.replaceAll(/[^A-Za-z0-9-]/g, "-");
}

/** Labels of everything this program makes, so that it is found again without the state. */
export function labelsOf(stack: string, role: string, tenant?: string): Record<string, string> {
  return { "openclaw-tenants.stack": stack, "openclaw-tenants.role": role, ...(tenant === undefined ? {} : { "openclaw-tenants.tenant": tenant }) };
}

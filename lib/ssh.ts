/** The user that operators and this program log in as. */
export const SSH_USER = "deploy";

/** A server and the one host key that it is believed by. */
export interface SshTarget {
  address: string;
  /** As in a known_hosts file, `ssh-ed25519 AAAA…`. */
  hostKey: string;
}

/** Arguments that make ssh believe one host key and no other, without a file of known hosts. Source: ssh_config(5), KnownHostsCommand. */
export function strictOptions(hostKey: string): string[] {
  return [
    "StrictHostKeyChecking=yes",
    "UserKnownHostsFile=/dev/null",
    "GlobalKnownHostsFile=/dev/null",
    "BatchMode=yes",
    "ConnectTimeout=20",
    `KnownHostsCommand=/bin/echo %H ${hostKey}`,
  ].flatMap((option) => ["-o", option]);
}

/** Arguments of ssh that run a command on a server. */
export function sshArgs({ address, hostKey }: SshTarget, command: readonly string[]): string[] {
  return [...strictOptions(hostKey), `${SSH_USER}@${address}`, quote(command)];
}

/** Quotes for the remote shell: ssh joins its arguments with spaces, so an array alone is not safe. */
export function quote(argv: readonly string[]): string {
  return argv.map((each) => (/^[\w@%+=:,./-]+$/.test(each) ? each : `'${each.replaceAll("'", `'\\''`)}'`)).join(" ");
}

import type { CloudConfig } from "./cloud-config.ts";

/** One module of cloud-init as a script for `sh`; what fails in it is reported, and the next one runs all the same. */
export interface Step {
  module: string;
  script: string;
}

/** What cloud-init does on a server, in its own order. */
export interface Boot {
  /** At every boot, first of all. */
  always: Step[];
  /** Once, before anything listens. */
  init: Step[];
  /** Once, when everything has been started. */
  final: Step[];
}

/** The order is that of the modules in Debian's and Ubuntu's cloud.cfg: a file whose owner is made later fails here as it does there. */
export function renderBoot(config: CloudConfig, name: string): Boot {
  const hostname = config.hostname ?? name;
  return {
    always: [{ module: "bootcmd", script: renderCommands(config.bootcmd) }],
    init: [
      step("write-files", config.write_files.filter(({ defer }) => !defer).flatMap(writeFile)),
      step("mounts", mount(config.mounts)),
      step("set-hostname", [`${say(hostname)} >/etc/hostname`, "hostname -F /etc/hostname", `${say(`127.0.1.1 ${hostname}`)} >>/etc/hosts`]),
      step("users-groups", config.users.flatMap(addUser)),
      step("ssh", ssh(config)),
    ],
    final: [
      step("write-files-deferred", config.write_files.filter(({ defer }) => defer).flatMap(writeFile)),
      { module: "scripts-user", script: renderCommands(config.runcmd) },
    ],
  };
}

function step(module: string, lines: readonly string[]): Step {
  return { module, script: ["set -eu", ...lines].join("\n") };
}

/** As cloud-init runs them: in one shell, whose last command says how it went unless one of them says otherwise. */
function renderCommands(commands: CloudConfig["runcmd"]): string {
  return commands.map((command) => (typeof command === "string" ? command : quoteAll(command))).join("\n");
}

function writeFile({ path, content, owner, permissions, append }: CloudConfig["write_files"][number]): string[] {
  const at = quote(path);
  return [
    `mkdir -p "$(dirname ${at})"`,
    `base64 -d ${append ? ">>" : ">"}${at} <<'END'\n${content.toString("base64")}\nEND`,
    `chmod ${quote(permissions)} ${at}`,
    `chown ${quote(owner)} ${at}`,
  ];
}

function mount(mounts: CloudConfig["mounts"]): string[] {
  if (mounts.length === 0) return [];
  const lines = mounts.map(([device = "", point = "", type = "auto", options = "defaults,nofail", frequency = "0", pass = "2"]) =>
    [device, point, type, `${options},comment=cloudconfig`, frequency, pass].join("\t"),
  );
  // A mount that fails is a warning of cloud-init's, no more.
  return [...mounts.map(([, point = ""]) => `mkdir -p ${quote(point)}`), ...lines.map((line) => `${say(line)} >>/etc/fstab`), "mount -a || true"];
}

function addUser({ name, gecos, groups, shell, uid, lock_passwd, sudo, ssh_authorized_keys }: CloudConfig["users"][number]): string[] {
  const options = [
    ...(gecos === undefined ? [] : ["--comment", gecos]),
    ...(groups.length === 0 ? [] : ["--groups", groups.join(",")]),
    ...(shell === undefined ? [] : ["--shell", shell]),
    ...(uid === undefined ? [] : ["--uid", `${uid}`]),
  ];
  const sudoers = "/etc/sudoers.d/90-cloud-init-users";
  return [
    ...groups.map((group) => `getent group ${quote(group)} >/dev/null || groupadd ${quote(group)}`),
    quoteAll(["useradd", "--create-home", ...options, name]),
    ...(lock_passwd ? [quoteAll(["passwd", "--quiet", "--lock", name])] : []),
    ...sudo.flatMap((rule) => [`${say(`${name} ${rule}`)} >>${sudoers}`, `chmod 0440 ${sudoers}`]),
    ...authorize(name, ssh_authorized_keys),
  ];
}

function authorize(user: string, keys: readonly string[]): string[] {
  if (keys.length === 0) return [];
  return [
    `home=$(getent passwd ${quote(user)} | cut -d: -f6)`,
    `install -d -m 0700 -o ${quote(user)} -g "$(id -gn ${quote(user)})" "$home/.ssh"`,
    `install -m 0600 -o ${quote(user)} -g "$(id -gn ${quote(user)})" /dev/null "$home/.ssh/authorized_keys"`,
    ...keys.map((key) => `${say(key.trim())} >>"$home/.ssh/authorized_keys"`),
  ];
}

function ssh({ ssh_deletekeys, ssh_keys, ssh_pwauth, users }: CloudConfig): string[] {
  const keys = Object.entries(ssh_keys).map(([name, key]) => {
    const [type = "", half = ""] = name.split("_");
    const path = `/etc/ssh/ssh_host_${type}_key${half === "public" ? ".pub" : ""}`;
    return `(umask ${half === "public" ? "022" : "077"} && ${say(key.trimEnd())} >${path})`;
  });
  return [
    ...(ssh_deletekeys ? ["rm -f /etc/ssh/ssh_host_*key*"] : []),
    ...(keys.length === 0 ? ["ssh-keygen -A"] : keys),
    ...(ssh_pwauth === undefined ? [] : [`echo PasswordAuthentication ${ssh_pwauth ? "yes" : "no"} >/etc/ssh/sshd_config.d/50-cloud-init.conf`]),
    // Hetzner gives them to root. Whether root may use them is sshd's business alone, so that its settings are what a test looks at.
    ...authorize("root", [...new Set(users.flatMap(({ ssh_authorized_keys }) => ssh_authorized_keys))]),
  ];
}

/** A line as it is: echo would read its backslashes. */
function say(line: string): string {
  return `printf '%s\\n' ${quote(line)}`;
}

function quoteAll(command: readonly string[]): string {
  return command.map(quote).join(" ");
}

function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

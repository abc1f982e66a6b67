import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { readCloudConfig } from "../../standin/machine/cloud-config.ts";
import { renderBoot } from "../../standin/machine/cloud-init.ts";

const read = (body: string): ReturnType<typeof readCloudConfig> => readCloudConfig(`#cloud-config\n${body}`);

describe("user data", () => {
  it("must say that it is a cloud-config in its first line", () => {
    expect(() => readCloudConfig("# a comment\n#cloud-config\n")).toThrow("line 1 must be #cloud-config");
  });

  it("may be absent", () => {
    expect(readCloudConfig("")).toMatchObject({ users: [], write_files: [], runcmd: [] });
  });

  it("is refused with everything that nobody would act on", () => {
    const body = "power_state: {mode: reboot}\nusers: [{name: deploy, passwd: secret}]\nwrite_files: [{path: relative}]\n";
    expect(() => read(body)).toThrow(/passwd[^]*relative|power_state[^]*passwd/);
    for (const word of ["power_state", "passwd", "users[0]", "write_files[0].path"]) expect(() => read(body)).toThrow(word);
  });

  it("may ask for what only a real server does", () => {
    expect(read("package_update: true\nswap: {filename: /swapfile, size: 1G}\nntp: {enabled: true}\n")).toEqual(read("{}"));
  });

  it("is read as cloud-init's own reader does", () => {
    const { write_files, mounts, users } = read(
      "write_files: [{path: /a, permissions: 0640}, {path: /b}]\nmounts: [[/dev/sdb, /srv, ext4, nofail, 0, 2]]\nusers: [{name: deploy, groups: 'docker, adm', sudo: null}]\n",
    );
    expect(write_files.map(({ permissions, owner }) => [permissions, owner])).toEqual([
      ["640", "root:root"],
      ["0644", "root:root"],
    ]);
    expect(mounts).toEqual([["/dev/sdb", "/srv", "ext4", "nofail", "0", "2"]]);
    expect(users).toMatchObject([{ groups: ["docker", "adm"], sudo: [], lock_passwd: true }]);
  });

  it.each([
    ["text/plain", "a\nb"],
    ["b64", Buffer.from("a\nb").toString("base64")],
    ["gz+b64", gzipSync("a\nb").toString("base64")],
  ])("decodes a file's content from %s", (encoding, content) => {
    expect(read(JSON.stringify({ write_files: [{ path: "/a", encoding, content }] })).write_files[0]?.content.toString()).toBe("a\nb");
  });
});

describe("what a server does by its user data", () => {
  let root: string;
  const at = (path: string): string => join(root, path);
  const stepsOf = (body: string): Record<string, string> => {
    const { always, init, final } = renderBoot(read(body), "born");
    return Object.fromEntries([...always, ...init, ...final].map(({ module, script }) => [module, script]));
  };
  /** Runs a module with all its folders in a temporary place, and what else would change this machine only told. */
  const run = (script: string | undefined): { status: number | null; said: string[] } => {
    const inRoot = (script ?? "").replaceAll(/\/(etc|srv|root)\b/g, `${root}/$1`);
    const { status, stderr } = spawnSync("sh", ["-c", inRoot], { env: { PATH: `${root}/bin:${process.env["PATH"] ?? ""}` }, encoding: "utf8" });
    return { status, said: stderr.split("\n").filter(Boolean) };
  };

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "cloud-config-"));
    for (const folder of ["bin", "etc/ssh/sshd_config.d", "etc/sudoers.d", "home"]) mkdirSync(at(folder), { recursive: true });
    const stubs = {
      getent: `[ $1 = passwd ] || exit 2; echo "$2:x:1:1::${root}/home/$2:/bin/sh"; mkdir -p "${root}/home/$2"`,
      id: "echo 0",
      install: 'for last; do :; done; case $* in *-d*) mkdir -p "$last" ;; *) : >"$last" ;; esac',
      ...Object.fromEntries(["useradd", "groupadd", "passwd", "hostname", "mount"].map((name) => [name, `echo "${name} $*" >&2`])),
    };
    for (const [name, body] of Object.entries(stubs)) writeFileSync(at(`bin/${name}`), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  });

  afterEach(() => {
    rmSync(root, { recursive: true });
  });

  it("comes in cloud-init's order", () => {
    const { always, init, final } = renderBoot(read("{}"), "born");
    const names = [always, init, final].map((steps) => steps.map(({ module }) => module));
    expect(names).toEqual([["bootcmd"], ["write-files", "mounts", "set-hostname", "users-groups", "ssh"], ["write-files-deferred", "scripts-user"]]);
  });

  it("writes files as they are, with owner and mode, and the deferred ones later", () => {
    const content = '#!/bin/sh\necho "it\'s $HOME\\n"\n\tEND\nEND\n';
    const files = [
      { path: "/srv/deep/it's", content, permissions: "0750", owner: `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}` },
      { path: "/srv/later", content: "later", defer: true, owner: "nobody-at-all" },
      { path: "/srv/deep/it's", content: "more", append: true, permissions: "0750", owner: `${process.getuid?.() ?? 0}` },
    ];
    const steps = stepsOf(JSON.stringify({ write_files: files }));
    expect(run(steps["write-files"])).toEqual({ status: 0, said: [] });
    expect(readFileSync(at("srv/deep/it's"), "utf8")).toBe(`${content}more`);
    expect(statSync(at("srv/deep/it's")).mode & 0o777).toBe(0o750);
    const late = run(steps["write-files-deferred"]);
    expect([late.status, late.said.join()]).toEqual([1, expect.stringContaining("nobody-at-all")]);
  });

  it("makes users with their groups, keys and rules", () => {
    const users = [
      {
        name: "deploy",
        groups: ["docker"],
        shell: "/bin/bash",
        uid: 2000,
        sudo: "ALL=(root) NOPASSWD: /bin/true",
        ssh_authorized_keys: ["ssh-ed25519 AAAA it's", "ssh-ed25519 BBBB"],
      },
      { name: "open", lock_passwd: false },
    ];
    const { status, said } = run(stepsOf(JSON.stringify({ users }))["users-groups"]);
    expect(status).toBe(0);
    expect(said).toEqual([
      "groupadd docker",
      "useradd --create-home --groups docker --shell /bin/bash --uid 2000 deploy",
      "passwd --quiet --lock deploy",
      "useradd --create-home open",
    ]);
    expect(readFileSync(at("home/deploy/.ssh/authorized_keys"), "utf8")).toBe("ssh-ed25519 AAAA it's\nssh-ed25519 BBBB\n");
    expect(readFileSync(at("etc/sudoers.d/90-cloud-init-users"), "utf8")).toBe("deploy ALL=(root) NOPASSWD: /bin/true\n");
  });

  it("has the host key that it was born with, for its owner's eyes only", () => {
    writeFileSync(at("etc/ssh/ssh_host_rsa_key"), "the image's own");
    const key = "-----BEGIN-----\na\\nb\n-----END-----\n";
    const body = JSON.stringify({
      ssh_pwauth: false,
      ssh_keys: { ed25519_private: key, ed25519_public: "ssh-ed25519 AAAA" },
      users: [{ name: "deploy", ssh_authorized_keys: ["ssh-ed25519 OP"] }],
    });
    expect(run(stepsOf(body)["ssh"])).toEqual({ status: 0, said: [] });
    expect(readFileSync(at("etc/ssh/ssh_host_ed25519_key"), "utf8")).toBe(key);
    expect(statSync(at("etc/ssh/ssh_host_ed25519_key")).mode & 0o777).toBe(0o600);
    expect(readFileSync(at("etc/ssh/ssh_host_ed25519_key.pub"), "utf8")).toBe("ssh-ed25519 AAAA\n");
    expect(() => statSync(at("etc/ssh/ssh_host_rsa_key"))).toThrow("ENOENT");
    expect(readFileSync(at("etc/ssh/sshd_config.d/50-cloud-init.conf"), "utf8")).toBe("PasswordAuthentication no\n");
    // As Hetzner gives them to root.
    expect(readFileSync(at("home/root/.ssh/authorized_keys"), "utf8")).toBe("ssh-ed25519 OP\n");
  });

  it("has a line in fstab for each mount, whether its device is there or not", () => {
    const { status, said } = run(stepsOf("mounts: [[/dev/none, /srv/data, ext4, 'defaults,nofail', '0', '2']]")["mounts"]);
    expect([status, said]).toEqual([0, ["mount -a"]]);
    expect(readFileSync(at("etc/fstab"), "utf8")).toBe(`/dev/none\t${at("srv/data")}\text4\tdefaults,nofail,comment=cloudconfig\t0\t2\n`);
    expect(statSync(at("srv/data")).isDirectory()).toBe(true);
  });

  it("is called as its user data says, else as it was ordered", () => {
    expect(run(stepsOf("hostname: given")["set-hostname"]).status).toBe(0);
    expect(readFileSync(at("etc/hostname"), "utf8")).toBe("given\n");
    expect(run(stepsOf("{}")["set-hostname"]).status).toBe(0);
    expect(readFileSync(at("etc/hostname"), "utf8")).toBe("born\n");
  });

  it("runs its commands in one shell, which ends as the last one does unless they say otherwise", () => {
    const commands = (list: unknown[]): string | undefined => stepsOf(JSON.stringify({ runcmd: list }))["scripts-user"];
    expect(run(commands(["false", ["sh", "-c", 'test "$1" = "a  b\'"', "sh", "a  b'"]]))).toEqual({ status: 0, said: [] });
    expect(run(commands(["true", "false"])).status).toBe(1);
    expect(run(commands(["set -e", "false", "true"])).status).toBe(1);
  });
});

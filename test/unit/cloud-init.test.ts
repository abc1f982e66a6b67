import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";

import { type CloudInitArgs, DATA_PATH, renderCloudInit } from "../../templates/cloud-init.ts";
import { hosts } from "../golden/hosts.ts";
import { describeWhere } from "../support/levels.ts";

const { plain, private: withNetwork, tailnet } = hosts;

/** What these tests read in user data. */
interface UserData {
  hostname: string;
  bootcmd: string[];
  ssh_keys: Record<string, string>;
  users: { ssh_authorized_keys: string[] }[];
  apt?: unknown;
  packages: string[];
  swap: { size: string };
  mounts: string[][];
  write_files: { path: string; content: string }[];
}

/** Read as cloud-init does, whose YAML is 1.1. */
const read = (text: string): UserData => parse(text, { version: "1.1", logLevel: "error" }) as UserData;

function fileOf(args: CloudInitArgs, path: string): string {
  const file = read(renderCloudInit(args)).write_files.find((each) => each.path === path);
  if (file === undefined) throw new Error(`no file ${path} in the user data`);
  return file.content;
}

describe("user data of a host", () => {
  /** What a careless or a hostile value may look like, alone and behind a good one. */
  const hostile = fc.oneof(
    fc.string({ unit: "binary", maxLength: 12 }),
    fc.constantFrom(
      "",
      "\n",
      "'",
      '"',
      "\\",
      ": ",
      " # ",
      "{{hostname}}",
      "!tailscale",
      "$(reboot)",
      "\nroot ALL=(ALL) ALL",
      "---",
      "yes",
      "04:00",
      "0644",
      "\u2028",
      "\u0085",
    ),
  );
  const near = (good: string): fc.Arbitrary<string> =>
    fc.oneof(
      { weight: 60, arbitrary: fc.constant(good) },
      { weight: 1, arbitrary: hostile },
      { weight: 2, arbitrary: hostile.map((bad) => `${good}${bad}`) },
      { weight: 2, arbitrary: hostile.map((bad) => `${good} ${bad}`) },
    );
  const anyArgs: fc.Arbitrary<CloudInitArgs> = fc.record({
    hostname: near(plain.hostname),
    hostKey: fc.record({ privateOpenssh: near(plain.hostKey.privateOpenssh), publicOpenssh: near(plain.hostKey.publicOpenssh.trim()) }),
    operatorKeys: fc.array(fc.oneof(...tailnet.operatorKeys.map(near)), { minLength: 1, maxLength: 3 }),
    dataDevice: near(plain.dataDevice),
    rebootAt: near(plain.rebootAt),
    swapMb: fc.oneof({ weight: 9, arbitrary: fc.nat(20_000) }, { weight: 1, arbitrary: fc.double() }),
    privateRanges: fc.array(fc.oneof(...withNetwork.privateRanges.map(near)), { maxLength: 2 }),
    hasTailscale: fc.boolean(),
    builtFor: fc.option(near("2026-12-24"), { nil: undefined }),
  });

  it("says every value as it is, or is refused", () => {
    let rendered = 0;
    fc.assert(
      fc.property(anyArgs, (args) => {
        let text: string;
        try {
          text = renderCloudInit(args);
        } catch (error) {
          expect((error as Error).message).toContain("cannot go into its user data");
          return;
        }
        rendered++;
        // Anything else is no user data to cloud-init.
        expect(text).toMatch(/^#cloud-config\n/);
        const data = read(text);
        expect(data.hostname).toBe(args.hostname);
        expect(data.ssh_keys).toEqual({
          ed25519_private: `${args.hostKey.privateOpenssh.trim()}\n`,
          ed25519_public: args.hostKey.publicOpenssh.trim(),
        });
        expect(data.users[0]?.ssh_authorized_keys).toEqual(args.operatorKeys.toSorted());
        expect(data.mounts[0]?.slice(0, 2)).toEqual([args.dataDevice, DATA_PATH]);
        expect(data.swap.size).toBe(`${args.swapMb}M`);
        expect(data.write_files.map(({ path }) => path)).toEqual(
          read(renderCloudInit(args.hasTailscale ? tailnet : plain)).write_files.map(({ path }) => path),
        );
      }),
      { numRuns: 500 },
    );
    expect(rendered).toBeGreaterThan(20);
  });

  it("is the same whatever order its lists come in", () => {
    const args = { ...tailnet, privateRanges: ["10.9.0.0/16", "10.42.0.0/16", ...withNetwork.privateRanges] };
    const turned = { ...args, operatorKeys: args.operatorKeys.toReversed(), privateRanges: args.privateRanges.toReversed() };
    expect(renderCloudInit(turned)).toBe(renderCloudInit(args));
  });

  it("holds one secret, once", () => {
    const [, body = ""] = plain.hostKey.privateOpenssh.split("\n");
    expect(renderCloudInit(tailnet).split(body)).toHaveLength(2);
  });

  it("has Tailscale only where it is asked for", () => {
    const parts = (args: CloudInitArgs): string[] => {
      const { apt, packages, write_files } = read(renderCloudInit(args));
      return [...(apt === undefined ? [] : ["apt"]), ...packages, ...write_files.map(({ path }) => path)];
    };
    const added = parts(tailnet).filter((part) => !parts(plain).includes(part));
    expect(added).toEqual(["apt", "tailscale", "/etc/sudoers.d/openclaw-tailscale", "/usr/local/sbin/openclaw-join"]);
    expect(renderCloudInit(tailnet)).not.toMatch(/: !|- !/);
  });

  it("differs for another rebuild, and for nothing else that is the same", () => {
    expect(renderCloudInit({ ...plain, builtFor: "a" })).not.toBe(renderCloudInit({ ...plain, builtFor: "b" }));
    expect(renderCloudInit({ ...plain, builtFor: "a" })).toBe(renderCloudInit({ ...plain, builtFor: "a" }));
  });

  it.each([
    ["a name with a space", { hostname: "two words" }],
    ["a device with a space", { dataDevice: "/dev/disk/by-id/scsi-0HC Volume" }],
    ["a device by its letter, which changes", { dataDevice: "/dev/sdb" }],
    ["an hour alone", { rebootAt: "4" }],
    ["half a MiB", { swapMb: 0.5 }],
    ["nobody's key", { operatorKeys: [] }],
    ["two keys in one", { operatorKeys: [`${plain.operatorKeys.join("")}\nssh-rsa AAAA`] }],
    ["a rebuild in two lines", { builtFor: "2026\nruncmd: []" }],
    ["an address for a range", { privateRanges: ["10.42.0.1"] }],
    ["a prefix too long", { privateRanges: ["10.42.0.0/33"] }],
    ["a private key in PEM", { hostKey: { ...plain.hostKey, privateOpenssh: plain.hostKey.privateOpenssh.replaceAll("OPENSSH ", "") } }],
  ])("is refused with %s", (_, stray) => {
    expect(() => renderCloudInit({ ...plain, ...stray })).toThrow(/cannot go into its user data$/);
  });

  it("never shows the private key in an error", () => {
    expect(() => renderCloudInit({ ...plain, hostKey: { ...plain.hostKey, privateOpenssh: "hunter2" } })).toThrow(/^(?!.*hunter2).*private host key/);
  });

  it("is at most what Hetzner takes", () => {
    const keys = (count: number): string[] => Array.from({ length: count }, (_, index) => `ssh-ed25519 ${"A".repeat(68)} operator-${index}`);
    expect(Buffer.byteLength(renderCloudInit({ ...tailnet, operatorKeys: keys(200) }))).toBeLessThanOrEqual(32 * 1024);
    expect(() => renderCloudInit({ ...tailnet, operatorKeys: keys(400) })).toThrow(
      /^user data of host "openclaw-prod-one" is \d+ bytes long and Hetzner takes 32768$/,
    );
  });
});

describe("a file that a host is given", () => {
  const { write_files: files, bootcmd } = read(renderCloudInit(tailnet));
  const template = read(readFileSync(new URL("../../templates/cloud-init.yaml", import.meta.url), "utf8"));
  const isScript = ({ content }: { content: string }): boolean => content.startsWith("#!/bin/sh\n");

  it.each(files.filter(isScript))("is a script without a slip: $path", ({ content }) => {
    expect(spawnSync("sh", ["-n"], { input: content, encoding: "utf8" })).toMatchObject({ status: 0, stderr: "" });
  });

  it("quotes every value in a script", () => {
    const scripts = [...template.write_files.filter(isScript).map(({ content }) => content), ...template.bootcmd].join("\n");
    const values = scripts.match(/.?\{\{\w+\}\}.?/g) ?? [];
    expect(values.length).toBeGreaterThan(3);
    expect(values.filter((value) => !/^"\{\{\w+\}\}"$/.test(value))).toEqual([]);
    expect(bootcmd.join("\n")).toContain(`"${DATA_PATH}"`);
  });

  it("lets deploy become root for two commands, without arguments", () => {
    const rules = files.filter(({ path }) => path.startsWith("/etc/sudoers.d/")).flatMap(({ content }) => content.trim().split("\n"));
    expect(rules).toEqual(['deploy ALL=(root) NOPASSWD: /usr/local/sbin/openclaw-data ""', 'deploy ALL=(root) NOPASSWD: /usr/local/sbin/openclaw-join ""']);
  });

  it("keeps Docker's own networks apart from tenants' subnets", () => {
    const daemon = JSON.parse(fileOf(plain, "/etc/docker/daemon.json")) as { "default-address-pools": { base: string; size: number }[] };
    // 172.16.0.0/12 is what Docker takes anyway; tenants have theirs from settings.subnetPool, which may not overlap it.
    expect(daemon["default-address-pools"]).toEqual([{ base: expect.stringMatching(/^172\.(1[6-9]|2\d|3[01])\.0\.0\/1[2-6]$/) as string, size: 28 }]);
  });
});

/** What is missing of root, a namespace of one's own and these programs. */
function lacks(...programs: readonly string[]): string | undefined {
  if (process.getuid?.() !== 0) return "root, who alone may set up a network or mount";
  if (spawnSync("unshare", ["--net", "--mount", "true"]).status !== 0) return "namespaces of one's own";
  return programs.find((program) => spawnSync(program, ["--version"], { env: { PATH } }).error !== undefined);
}

const PATH = `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`;

const missing = lacks("iptables", "ip6tables", "losetup", "mkfs.ext4", "resize2fs");

describeWhere("a script of a host", missing === undefined ? undefined : `no ${missing}`, () => {
  let folder: string;
  const at = (name: string): string => join(folder, name);

  /** A program that the script finds before the real one. */
  function stub(name: string, script: string): void {
    writeFileSync(at(`bin/${name}`), `#!/bin/sh\n${script}\n`);
    chmodSync(at(`bin/${name}`), 0o755);
  }

  function put(name: string, args: CloudInitArgs, path: string): void {
    // On the machine that tests run on, its places are somebody else's.
    writeFileSync(at(name), fileOf(args, path).replaceAll(DATA_PATH, at("data")).replaceAll("/run/", at("run/")));
  }

  /** Runs lines for `sh` in the folder, in namespaces that end with them. */
  function run(lines: string, input = ""): { status: number | null; stdout: string; stderr: string } {
    const env = { PATH: `${at("bin")}:${PATH}`, LIBMOUNT_FSTAB: at("fstab") };
    const argv = ["--net", "--mount", "--propagation", "private", "sh", "-euc", lines];
    const { status, stdout, stderr } = spawnSync("unshare", argv, { cwd: folder, env, input, encoding: "utf8" });
    return { status, stdout, stderr };
  }

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "cloud-init-"));
    for (const name of ["bin", "run", "data"]) mkdirSync(at(name));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  describe("for the firewall", () => {
    /** The chains and rules of both families, after these lines. */
    function rulesAfter(lines: string): string[] {
      const { status, stdout, stderr } = run(`${lines}\niptables-save -t filter\nip6tables-save -t filter`);
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      return stdout.split("\n").flatMap((line) => (/^[:-]/.test(line) ? line.replace(/ \[.*/, "") : []));
    }

    beforeEach(() => {
      put("firewall", withNetwork, "/usr/local/sbin/openclaw-firewall");
      put("older", { ...plain, privateRanges: ["10.99.0.0/16"] }, "/usr/local/sbin/openclaw-firewall");
    });

    it("closes in both families what no tenant may reach", () => {
      const family = (...ranges: readonly string[]): string[] => [
        ":INPUT ACCEPT",
        ":FORWARD ACCEPT",
        ":OUTPUT ACCEPT",
        ":DOCKER-USER -",
        ":OPENCLAW-FORWARD -",
        ":OPENCLAW-INPUT -",
        "-A INPUT -j OPENCLAW-INPUT",
        "-A FORWARD -j DOCKER-USER",
        "-A DOCKER-USER -j OPENCLAW-FORWARD",
        ...["br-+", "docker0"].flatMap((bridge) => [
          ...ranges.map((range) => `-A OPENCLAW-FORWARD -d ${range} -i ${bridge} -j DROP`),
          `-A OPENCLAW-FORWARD -i ${bridge} -o tailscale0 -j DROP`,
          `-A OPENCLAW-FORWARD -o ${bridge} -m conntrack --ctstate NEW -j DROP`,
        ]),
        ...["br-+", "docker0"].map((bridge) => `-A OPENCLAW-INPUT -i ${bridge} -m conntrack --ctstate NEW -j DROP`),
      ];
      expect(rulesAfter("sh firewall")).toEqual([...family("169.254.0.0/16", "10.42.0.0/16"), ...family("fc00::/7", "fd42:7::/48")]);
    });

    it("leaves the same rules when it is applied again, or over an older one", () => {
      const once = rulesAfter("sh firewall");
      expect(rulesAfter("sh firewall; sh firewall")).toEqual(once);
      expect(rulesAfter("sh older; sh firewall")).toEqual(once);
      expect(rulesAfter("sh older")).not.toEqual(once);
    });

    it("goes before Docker's own rules and takes none of them away", () => {
      const docker = "iptables -N DOCKER-USER; iptables -A DOCKER-USER -j RETURN; iptables -A FORWARD -j DOCKER-USER; iptables -A FORWARD -i docker0 -j ACCEPT";
      const rules = rulesAfter(`${docker}; sh firewall; sh firewall`);
      const ipv4 = rules.slice(0, rules.lastIndexOf(":INPUT ACCEPT"));
      const inChain = (chain: string): string[] => ipv4.filter((rule) => rule.startsWith(`-A ${chain} `));
      expect(inChain("FORWARD")).toEqual(["-A FORWARD -j DOCKER-USER", "-A FORWARD -i docker0 -j ACCEPT"]);
      expect(inChain("DOCKER-USER")).toEqual(["-A DOCKER-USER -j OPENCLAW-FORWARD", "-A DOCKER-USER -j RETURN"]);
    });

    it("fails where a rule cannot be set", () => {
      stub("ip6tables-restore", "cat >/dev/null; exit 4");
      expect(run("sh firewall").status).toBe(4);
    });
  });

  describe("for the data volume", () => {
    /** A disk of 16 MiB as the only line of fstab, gone with the lines that use it. */
    const disk = [
      "truncate --size 16M disk",
      'device=$(losetup --find --show "$PWD/disk")',
      `trap 'umount data 2>/dev/null || true; losetup --detach "$device"' EXIT`,
      'echo "$device $PWD/data ext4 defaults,nofail 0 2" >fstab',
    ].join("\n");
    const volume = `${disk}\nmkfs.ext4 -q "$device"`;

    beforeEach(() => {
      put("data.sh", plain, "/usr/local/sbin/openclaw-data");
      stub("systemctl", 'echo "$@" >>systemctl.log');
      stub("sleep", "exit 0");
      writeFileSync(at("systemctl.log"), "");
    });

    it("mounts it and lets Docker start who waited for it, once", () => {
      const { status, stdout, stderr } = run(`${volume}\nsh data.sh; touch data/kept; sh data.sh; ls data`);
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      expect(stdout).toMatch(/^(\S+\/data has 1[\d.]+M on \/dev\/loop\d+\n)\1kept\nlost\+found\n$/);
      expect(readFileSync(at("systemctl.log"), "utf8")).toBe("try-restart docker.service\n");
    });

    it("grows the file system when the volume has grown", () => {
      // The kernel lets not every root grow a mounted file system, and a test's may be such a one.
      stub("resize2fs", 'umount data && e2fsck -fp "$1" && PATH=${PATH#*:} resize2fs "$1" && mount data');
      const { stdout } = run(`${volume}\nsh data.sh; truncate --size 64M disk; losetup --set-capacity "$device"; sh data.sh`);
      const [before = 0, after = 0] = [...stdout.matchAll(/ has ([\d.]+)M on /g)].map(([, size]) => Number(size));
      expect(before).toBeGreaterThan(8);
      expect(after).toBeGreaterThan(3 * before);
    });

    it("keeps what is on it, and formats none that has no file system", () => {
      const { status, stderr } = run(`${disk}\nsh data.sh`);
      expect(status).toBe(1);
      expect(stderr).toMatch(/\/dev\/loop\d+ cannot be mounted on \S+\/data\n$/);
      expect(readFileSync(at("disk")).every((byte) => byte === 0)).toBe(true);
    });

    it("refuses when the volume is not attached", () => {
      writeFileSync(at("fstab"), `${plain.dataDevice} ${at("data")} ext4 nofail 0 2\n`);
      expect(run("sh data.sh")).toEqual({ status: 1, stdout: "", stderr: `the data volume is not attached: ${plain.dataDevice} is not there\n` });
    });

    it("refuses when something else is mounted in its place", () => {
      const { status, stdout, stderr } = run(`${volume}\nmount -t tmpfs other data\nsh data.sh`);
      expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
      expect(stderr).toMatch(/\/data holds other and not the data volume, \/dev\/loop\d+; unmount it\n$/);
    });

    it("refuses without its line in fstab", () => {
      writeFileSync(at("fstab"), "");
      expect(run("sh data.sh")).toEqual({ status: 1, stdout: "", stderr: `fstab has no line for ${at("data")}\n` });
    });
  });

  describe("for the tailnet", () => {
    it("hands the key on in a file of root's alone, which is gone afterwards, and never as an argument", () => {
      put("join", tailnet, "/usr/local/sbin/openclaw-join");
      stub("tailscale", 'echo "$@"; file=${2#--auth-key=file:}; cat "$file"; stat -c %a "$file"');
      const { stdout } = run("sh join; ls run", "tskey-auth-secret\n");
      expect(stdout).toMatch(/^up --auth-key=file:\S+ --ssh=false --accept-dns=false --timeout=60s\ntskey-auth-secret\n600\n$/);
    });

    it("fails when Tailscale does, and leaves no key behind", () => {
      put("join", tailnet, "/usr/local/sbin/openclaw-join");
      stub("tailscale", "exit 7");
      expect(run("sh join || echo $?; ls run", "tskey-auth-secret\n").stdout).toBe("7\n");
    });
  });
});

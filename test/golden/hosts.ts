import type { CloudInitArgs } from "../../templates/cloud-init.ts";

const plain: CloudInitArgs = {
  hostname: "openclaw-prod-one",
  // Shaped like keys, and none.
  hostKey: {
    privateOpenssh: [
      "-----BEGIN OPENSSH PRIVATE KEY-----",
      "VGhpcyBpcyBub3QgYSBrZXksIG9ubHkgYXMgbG9uZyBhcyBvbmUgYW5kIGluIGxpbmVzIGxpa2Ug",
      "aXRzIG93bi4gTm9ib2R5IGxvZ3MgaW4gd2l0aCBpdC4=",
      "-----END OPENSSH PRIVATE KEY-----",
      "",
    ].join("\n"),
    publicOpenssh: "ssh-ed25519 Tm90IGEgaG9zdCBrZXkgZWl0aGVy\n",
  },
  operatorKeys: ["ssh-ed25519 Tm90IEFubmEncyBrZXk= anna@laptop"],
  dataDevice: "/dev/disk/by-id/scsi-0HC_Volume_101",
  rebootAt: "04:00",
  swapMb: 2048,
  privateRanges: [],
  hasTailscale: false,
  builtFor: undefined,
};

/** Hosts whose user data stands in expected/cloud-init/, by name. Each shows one part of what may be asked for. */
export const hosts = {
  plain,

  private: { ...plain, hostname: "openclaw-prod-two", privateRanges: ["fd42:7::/48", "10.42.0.0/16"], swapMb: 0, rebootAt: "23:30" },

  tailnet: {
    ...plain,
    operatorKeys: [...plain.operatorKeys, "sk-ssh-ed25519@openssh.com Tm90IEJlbidzIGtleQ== Ben's: key # 2", "ssh-rsa Tm90IGFuIG9sZCBrZXk="],
    hasTailscale: true,
    builtFor: "2026-12-24",
  },
} satisfies Record<string, CloudInitArgs>;

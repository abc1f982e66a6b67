import * as z from "zod";

import type { Account } from "../account.ts";
import type { Props, Provider } from "../provider.ts";
import { readJson } from "../world.ts";
import { callTo, refusal } from "./errors.ts";
import { readZones } from "./zones.ts";

/** Where Cloudflare calls from (www.cloudflare.com/ips, since 2021). Written in `ip-ranges.json`, others take their place. */
const IP_RANGES = {
  ipv4Cidrs: [
    ...["173.245.48.0/20", "103.21.244.0/22", "103.22.200.0/22", "103.31.4.0/22", "141.101.64.0/18", "108.162.192.0/18", "190.93.240.0/20", "188.114.96.0/20"],
    ...["197.234.240.0/22", "198.41.128.0/17", "162.158.0.0/15", "104.16.0.0/13", "104.24.0.0/14", "172.64.0.0/13", "131.0.72.0/22"],
  ],
  ipv6Cidrs: ["2400:cb00::/32", "2606:4700::/32", "2803:f800::/32", "2405:b500::/32", "2405:8100::/32", "2a06:98c0::/29", "2c0f:f248::/32"],
};

const Text = z.strictObject({
  exact: z.string().optional(),
  contains: z.string().optional(),
  startswith: z.string().optional(),
  endswith: z.string().optional(),
});

const ZoneArgs = z.strictObject({
  zoneId: z.string().optional(),
  filter: z.strictObject({ name: z.string(), match: z.enum(["all", "any"]).optional() }).optional(),
});
const RecordsArgs = z.strictObject({
  zoneId: z.string(),
  name: Text.optional(),
  content: Text.optional(),
  comment: Text.optional(),
  type: z.string().optional(),
  proxied: z.boolean().optional(),
  maxItems: z.int().optional(),
});
const CertificateArgs = z.strictObject({ certificateId: z.string() });

/** What the account knows, without changing it. */
export function functions(account: Account): NonNullable<Provider["functions"]> {
  const list = (name: string, path: string) => callTo(path, { on: "list", type: name, name: "" });
  return {
    "cloudflare:index/getIpRanges:getIpRanges": (props) => {
      const args = z.strictObject({ networks: z.enum(["jdcloud"]).optional() }).parse(props);
      return account.call(list("getIpRanges", "/ips"), () => ({
        ...args,
        etag: "38f79d050aa027e3be3865e495dcc9bc",
        jdcloudCidrs: [],
        ...readJson(account.world, "ip-ranges.json", IP_RANGES),
      }));
    },
    "cloudflare:index/getZone:getZone": (props) => {
      const { zoneId, filter } = ZoneArgs.parse(props);
      const call = list("getZone", zoneId === undefined ? `/zones?name=${filter?.name ?? ""}` : `/zones/${zoneId}`);
      return account.call(call, () => {
        const zone = readZones(account.world).find(({ id, name }) => (zoneId === undefined ? name === filter?.name : id === zoneId));
        if (zone === undefined) throw refusal(call, 404, { code: 7003, message: "Could not route to the zone, perhaps your object identifier is invalid?" });
        return { ...zone, zoneId: zone.id, status: "active", type: "full", paused: false, nameServers: ["ada.ns.cloudflare.com", "bob.ns.cloudflare.com"] };
      });
    },
    "cloudflare:index/getDnsRecords:getDnsRecords": (props) => {
      const args = RecordsArgs.parse(props);
      return account.call(list("getDnsRecords", `/zones/${args.zoneId}/dns_records`), ({ items }) => {
        const results = Object.entries(items).flatMap(([id, { type, inputs, outputs }]) => {
          const all: Props = { id, proxied: false, ...inputs, ...outputs };
          const fits = (["zoneId", "type", "proxied"] as const).every((field) => (args[field] ?? all[field]) === all[field]);
          return type === "DnsRecord" && fits && (["name", "content", "comment"] as const).every((field) => reads(all[field], args[field])) ? [all] : [];
        });
        return { ...args, direction: "asc", match: "all", order: "type", tagMatch: "all", results: structuredClone(results.slice(0, args.maxItems)) };
      });
    },
    "cloudflare:index/getOriginCaCertificate:getOriginCaCertificate": (props) => {
      const { certificateId } = CertificateArgs.parse(props);
      const call = list("getOriginCaCertificate", `/certificates/${certificateId}`);
      return account.call(call, ({ items }) => {
        const item = items[certificateId];
        if (item?.type !== "OriginCaCertificate") throw refusal(call, 404, { code: 1101, message: "Failed to find certificate" });
        return structuredClone({ id: certificateId, certificateId, ...item.inputs, ...item.outputs });
      });
    },
  };
}

function reads(value: unknown, wanted: z.output<typeof Text> = {}): boolean {
  const text = typeof value === "string" ? value : "";
  const { exact = text, contains = "", startswith = "", endswith = "" } = wanted;
  return text === exact && text.includes(contains) && text.startsWith(startswith) && text.endsWith(endswith);
}

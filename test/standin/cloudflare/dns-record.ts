import { randomBytes } from "node:crypto";
import { isIPv4, isIPv6 } from "node:net";

import * as z from "zod";

import type { Account } from "../account.ts";
import { previewable } from "../inputs.ts";
import type { Kind, Props } from "../provider.ts";
import { type Call, dropItem, type Item, type Records } from "../world.ts";
import { callTo, identicalRecord, refusal } from "./errors.ts";
import { Id, isWithin, readZones } from "./zones.ts";

const PROXIABLE: readonly string[] = ["A", "AAAA", "CNAME"];

const DnsRecord = z.strictObject({
  zoneId: Id,
  name: z.string(),
  type: z.enum(["A", "AAAA", "CNAME", "MX", "NS", "TXT"]),
  content: z.string(),
  ttl: z.number(),
  proxied: z.boolean().optional(),
  comment: z.string().optional(),
  priority: z.int().min(0).max(65_535).optional(),
  tags: z.array(z.string()).max(0, "tags need a paid plan").optional(),
});

type DnsRecord = z.output<typeof DnsRecord>;

const TYPE = "DnsRecord";

export function dnsRecord(account: Account): Kind {
  const callOf = (on: Call["on"], { zoneId, name }: Props, id?: string): Call =>
    callTo(`/zones/${String(zoneId)}/dns_records${id === undefined ? "" : `/${id}`}`, { on, type: TYPE, name: typeof name === "string" ? name : "" });

  return {
    inputs: previewable(DnsRecord),
    replace: ["zoneId", "type"],
    computed: ["createdOn", "modifiedOn", "meta", "proxiable", "settings", "tags"],
    renewed: ["modifiedOn"],
    create: (props, { signal }) => {
      const inputs = DnsRecord.parse(props);
      const call = callOf("create", props);
      const create = (records: Records) => {
        refuseBadRecord(account.world, call, inputs);
        refuseDouble(records, call, inputs);
        const id = randomBytes(16).toString("hex");
        const createdOn = new Date().toISOString();
        const outputs = { createdOn, modifiedOn: createdOn, meta: "{}", proxiable: PROXIABLE.includes(inputs.type), settings: {}, tags: [] };
        const item = { type: TYPE, name: inputs.name, labels: {}, inputs: props, outputs };
        records.items[id] = item;
        return { id, outputs: tell(item) };
      };
      return account.call(call, create, { signal });
    },
    update: (id, _olds, props, { signal }) => {
      const inputs = DnsRecord.parse(props);
      const call = callOf("update", props, idOf(id));
      const update = (records: Records) => {
        const item = findRecord(records, id);
        if (item === undefined) throw refusal(call, 404, { code: 81_044, message: "Record does not exist." });
        refuseBadRecord(account.world, call, inputs);
        refuseDouble(records, call, inputs, item);
        Object.assign(item, { name: inputs.name, inputs: props });
        item.outputs["modifiedOn"] = new Date().toISOString();
        return tell(item);
      };
      return account.call(call, update, { signal });
    },
    read: (id, olds) => {
      const isImport = Object.keys(olds).length === 0;
      if (isImport && !id.includes("/")) throw new Error(`invalid ID: expected urlencoded segments "<zone_id>/<dns_record_id>", got "${id}"`);
      const zoneId = olds["zoneId"] ?? id.split("/")[0];
      return account.call(callOf("read", { ...olds, zoneId }, idOf(id)), (records) => {
        const item = findRecord(records, id);
        return item !== undefined && item.inputs["zoneId"] === zoneId ? { inputs: structuredClone(item.inputs), outputs: tell(item) } : undefined;
      });
    },
    delete: async (id, olds, { signal }) => {
      const call = callOf("delete", olds, idOf(id));
      const remove = (records: Records): void => {
        if (findRecord(records, id) === undefined) throw refusal(call, 404, { code: 81_044, message: "Record does not exist." });
        dropItem(records, idOf(id));
      };
      await account.call(call, remove, { signal });
    },
  };
}

/** What an import calls `<zone>/<record>` is known by the record alone. */
function idOf(id: string): string {
  return id.slice(id.indexOf("/") + 1);
}

function findRecord(records: Records, id: string): Item | undefined {
  const item = records.items[idOf(id)];
  return item?.type === TYPE ? item : undefined;
}

function tell(item: Item): Props {
  return structuredClone({ proxied: false, ...item.inputs, ...item.outputs });
}

function refuseBadRecord(world: string, call: Call, { zoneId, name, type, content, ttl, proxied = false, comment = "" }: DnsRecord): void {
  const refuse = (code: number, message: string): never => {
    throw refusal(call, 400, { code, message });
  };
  if (proxied && ttl !== 1) throw new Error("ttl must be set to 1 when `proxied` is true: the TTL must be 1 as Cloudflare will control the TTL internally");
  const zone = readZones(world).find(({ id }) => id === zoneId);
  if (zone === undefined) return refuse(7003, `Could not route to /client/v4/zones/${zoneId}/dns_records, perhaps your object identifier is invalid?`);
  // The API would take a short name, answer with the long one, and every preview from then on would show the difference.
  if (!isWithin(name, zone) || name !== name.toLowerCase())
    throw new Error(`DNS name "${name}" is not the full name that the API will tell; write "${name.toLowerCase()}.${zone.name}"`);
  if (type === "A" && !isIPv4(content)) refuse(9005, "Content for A record must be a valid IPv4 address.");
  if (type === "AAAA" && !isIPv6(content)) refuse(9006, "Content for AAAA record must be a valid IPv6 address.");
  if (proxied && !PROXIABLE.includes(type)) refuse(9004, "This record type cannot be proxied.");
  if (ttl !== 1 && (ttl < 60 || ttl > 86_400)) refuse(9021, "TTL must be between 60 and 86400 seconds, or 1 for Automatic.");
  if (comment.length > 100) refuse(9300, "DNS record comment too long, it must not exceed 100 characters");
}

function refuseDouble(records: Records, call: Call, { zoneId, name, type, content }: DnsRecord, self?: Item): void {
  const others = Object.values(records.items).filter((item) => item !== self && item.type === TYPE && item.inputs["zoneId"] === zoneId && item.name === name);
  if (others.some(({ inputs }) => inputs["type"] === type && inputs["content"] === content)) throw identicalRecord(call);
  const hasCname = others.some(({ inputs }) => inputs["type"] === "CNAME");
  const isAlone = others.every(({ inputs }) => !PROXIABLE.includes(String(inputs["type"])));
  if (hasCname || (type === "CNAME" && !isAlone))
    throw refusal(call, 400, { code: 81_053, message: "An A, AAAA, or CNAME record with that host already exists." });
}

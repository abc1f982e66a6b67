import { createPrivateKey, randomBytes, X509Certificate } from "node:crypto";

import * as z from "zod";

import type { Account } from "../account.ts";
import { previewable } from "../inputs.ts";
import type { Kind, Props } from "../provider.ts";
import { type Call, dropItem, type Records } from "../world.ts";
import { callTo, refusal } from "./errors.ts";
import { Id, readZones } from "./zones.ts";

const Settings = z.strictObject({ zoneId: Id, enabled: z.boolean() });
const Certificate = z.strictObject({ zoneId: Id, certificate: z.string(), privateKey: z.string() });

const SETTINGS = "AuthenticatedOriginPullsSettings";
const CERTIFICATE = "AuthenticatedOriginPullsCertificate";

/** Whether Cloudflare shows a zone's origins a certificate. Every zone has it, so deleting it does nothing at all. */
export function originPullsSettings(account: Account): Kind {
  const callOf = (on: Call["on"], zoneId: string): Call =>
    callTo(`/zones/${zoneId}/origin_tls_client_auth/settings`, { on, type: SETTINGS, name: zoneId }, on === "read" ? "GET" : "PUT");
  const set = async (on: "create" | "update", props: Props, signal: AbortSignal): Promise<string> => {
    const { zoneId } = Settings.parse(props);
    const call = callOf(on, zoneId);
    const change = (records: Records): void => {
      refuseUnknownZone(account.world, call, zoneId);
      records.items[`${zoneId}/${SETTINGS}`] = { type: SETTINGS, name: zoneId, labels: {}, inputs: props, outputs: {} };
    };
    await account.call(call, change, { signal });
    return zoneId;
  };
  return {
    inputs: previewable(Settings),
    replace: ["zoneId"],
    create: async (props, { signal }) => ({ id: await set("create", props, signal), outputs: props }),
    update: async (_id, _olds, news, { signal }) => {
      await set("update", news, signal);
      return news;
    },
    read: (zoneId) =>
      account.call(callOf("read", zoneId), (records) => {
        const inputs = structuredClone(records.items[`${zoneId}/${SETTINGS}`]?.inputs ?? { zoneId, enabled: false });
        return { inputs, outputs: inputs };
      }),
  };
}

/** The certificate that Cloudflare shows. */
export function originPullsCertificate(account: Account): Kind {
  const callOf = (on: Call["on"], zoneId: unknown, id = ""): Call =>
    callTo(`/zones/${String(zoneId)}/origin_tls_client_auth${id}`, { on, type: CERTIFICATE, name: String(zoneId) });
  return {
    inputs: previewable(Certificate),
    replace: ["zoneId", "certificate"],
    computed: ["certificateId", "enabled", "expiresOn", "issuer", "serialNumber", "signature", "status", "uploadedOn"],
    create: (props, { signal }) => {
      const { zoneId, certificate, privateKey } = Certificate.parse(props);
      const call = callOf("create", zoneId);
      const create = (records: Records) => {
        refuseUnknownZone(account.world, call, zoneId);
        const parsed = readPair(call, certificate, privateKey);
        const id = randomBytes(16).toString("hex");
        const outputs = {
          certificateId: id,
          enabled: true,
          expiresOn: parsed.validToDate.toISOString(),
          issuer: parsed.issuer,
          serialNumber: parsed.serialNumber,
          signature: parsed.signatureAlgorithm ?? "",
          status: "active",
          uploadedOn: new Date().toISOString(),
        };
        // A private key is never told again.
        records.items[id] = { type: CERTIFICATE, name: zoneId, labels: {}, inputs: { zoneId, certificate }, outputs };
        return { id, outputs: { ...props, ...outputs } };
      };
      return account.call(call, create, { signal });
    },
    // The provider has nothing to change: another key for the same certificate goes into the state and nowhere else.
    update: (_id, olds, news) => Promise.resolve({ ...olds, ...news }),
    read: (id, olds) =>
      account.call(callOf("read", olds["zoneId"] ?? id.split("/")[0], `/${id.slice(id.indexOf("/") + 1)}`), (records) => {
        const item = records.items[id.slice(id.indexOf("/") + 1)];
        if (item?.type !== CERTIFICATE) return undefined;
        const inputs = { ...item.inputs, ...("privateKey" in olds ? { privateKey: olds["privateKey"] } : {}) };
        return structuredClone({ inputs, outputs: { ...inputs, ...item.outputs } });
      }),
    delete: async (id, { zoneId }, { signal }) => {
      const call = callOf("delete", zoneId, `/${id}`);
      const remove = (records: Records): void => {
        if (records.items[id]?.type !== CERTIFICATE) throw refusal(call, 404, { code: 1551, message: "Certificate not found" });
        dropItem(records, id);
      };
      await account.call(call, remove, { signal });
    },
  };
}

function readPair(call: Call, certificate: string, privateKey: string): X509Certificate {
  try {
    const parsed = new X509Certificate(certificate);
    if (parsed.checkPrivateKey(createPrivateKey(privateKey))) return parsed;
  } catch {
    // The API does not tell why either.
  }
  throw refusal(call, 400, { code: 1413, message: "Invalid certificate or private key; they must be a pair in PEM" });
}

function refuseUnknownZone(world: string, call: Call, zoneId: string): void {
  const message = `Could not route to /client/v4/zones/${zoneId}/origin_tls_client_auth, perhaps your object identifier is invalid?`;
  if (!readZones(world).some(({ id }) => id === zoneId)) throw refusal(call, 400, { code: 7003, message });
}

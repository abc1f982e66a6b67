import { randomBytes } from "node:crypto";

import * as z from "zod";

import type { Account } from "../account.ts";
import { previewable } from "../inputs.ts";
import type { Kind } from "../provider.ts";
import { type Call, dropItem, type Records } from "../world.ts";
import { callTo, refusal } from "./errors.ts";
import { findKeyType, signForOrigin } from "./origin-ca.ts";
import { isWithin, readZones } from "./zones.ts";

const OriginCaCertificate = z.strictObject({
  csr: z.string(),
  hostnames: z.array(z.string()).min(1),
  requestType: z.enum(["origin-rsa", "origin-ecc"]),
  requestedValidity: z.literal([7, 30, 90, 365, 730, 1095, 5475]).optional(),
});

const TYPE = "OriginCaCertificate";
/** Days, when nobody asks for fewer. */
const LONGEST = 5475;
const KEY_TYPES = { "origin-rsa": "rsa", "origin-ecc": "ec" };

export function originCaCertificate(account: Account): Kind {
  const callOf = (on: Call["on"], name: unknown, id = ""): Call => callTo(`/certificates${id}`, { on, type: TYPE, name: typeof name === "string" ? name : "" });
  return {
    inputs: previewable(OriginCaCertificate),
    computed: ["certificate", "expiresOn"],
    create: (props, { signal }) => {
      const { csr, hostnames, requestType, requestedValidity: days = LONGEST } = OriginCaCertificate.parse(props);
      const call = callOf("create", hostnames[0]);
      const create = (records: Records) => {
        for (const name of hostnames) {
          const isOwn = readZones(account.world).some((zone) => isWithin(name, zone)) && /^(\*\.)?[^*]+$/.test(name);
          const message = `Failed to validate requested hostname ${name}: This zone is either not part of your account, or you do not have access to it.`;
          if (!isOwn) throw refusal(call, 400, { code: 1010, message });
        }
        if (findKeyType(csr) !== KEY_TYPES[requestType])
          throw refusal(call, 400, { code: 1000, message: `CSR is not a valid one for request type ${requestType}` });
        const certificate = signForOrigin(account.world, { csr, hostnames, days });
        const id = randomBytes(16).toString("hex");
        const outputs = { requestedValidity: days, certificate: certificate.toString(), expiresOn: certificate.validToDate.toISOString() };
        records.items[id] = { type: TYPE, name: hostnames[0] ?? "", labels: {}, inputs: props, outputs };
        return { id, outputs: { ...props, ...outputs } };
      };
      return account.call(call, create, { signal });
    },
    read: (id, olds) =>
      account.call(callOf("read", Array.isArray(olds["hostnames"]) ? olds["hostnames"][0] : "", `/${id}`), (records) => {
        const item = records.items[id];
        return item?.type === TYPE ? structuredClone({ inputs: item.inputs, outputs: { ...item.inputs, ...item.outputs } }) : undefined;
      }),
    delete: async (id, olds, { signal }) => {
      const call = callOf("delete", Array.isArray(olds["hostnames"]) ? olds["hostnames"][0] : "", `/${id}`);
      const revoke = (records: Records): void => {
        if (records.items[id]?.type !== TYPE) throw refusal(call, 404, { code: 1101, message: "Failed to find certificate" });
        dropItem(records, id);
      };
      await account.call(call, revoke, { signal });
    },
  };
}

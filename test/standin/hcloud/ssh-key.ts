import { createHash } from "node:crypto";

import * as z from "zod";

import type { Account } from "../account.ts";
import type { Kind } from "../provider.ts";
import { refusal } from "./errors.ts";
import { serveItems } from "./item-kind.ts";
import { itemsOf, Labels, Name } from "./items.ts";

const SshKey = z.strictObject({ name: Name, publicKey: z.string(), labels: Labels.optional() });

export function sshKey(account: Account): Kind {
  return serveItems(account, {
    type: "SshKey",
    noun: "SSH key",
    inputs: SshKey,
    replace: ["publicKey"],
    computed: ["fingerprint"],
    make: (records, item, { publicKey }) => {
      const fingerprint = fingerprintOf(publicKey);
      if (itemsOf(records, "SshKey").some(([, other]) => other.outputs["fingerprint"] === fingerprint))
        throw refusal("uniqueness_error", "SSH key with the same fingerprint already exists");
      item.outputs = { fingerprint };
      return [];
    },
  });
}

/** MD5 of the key itself, in pairs of digits. */
function fingerprintOf(publicKey: string): string {
  const [algorithm = "", encoded = ""] = publicKey.split(" ", 2);
  const key = Buffer.from(encoded, "base64");
  // Every public key starts with the name of its algorithm.
  if (key.length < 32 || key.toString("latin1", 4, 4 + algorithm.length) !== algorithm)
    throw refusal("invalid_input", "invalid input in field 'public_key': [publicKey => [is not a valid public key]]");
  return createHash("md5").update(key).digest("hex").match(/../g)?.join(":") ?? "";
}

import * as z from "zod";

import type { Account } from "../account.ts";
import type { Kind } from "../provider.ts";
import { refusal } from "./errors.ts";
import { serveItems } from "./item-kind.ts";
import { Labels, Name } from "./items.ts";
import { LOCATIONS } from "./offers.ts";
import { detach } from "./volume-attachment.ts";

const Volume = z.strictObject({
  name: Name,
  /** GB. */
  size: z.int(),
  location: z.string(),
  serverId: z.never("the stand-in attaches by VolumeAttachment alone").optional(),
  format: z.string().optional(),
  automount: z.boolean().optional(),
  deleteProtection: z.boolean().default(false),
  labels: Labels.optional(),
});

export function volume(account: Account): Kind {
  return serveItems(account, {
    type: "Volume",
    noun: "volume",
    inputs: Volume,
    replace: ["location"],
    deleteBeforeReplace: true,
    computed: ["linuxDevice", "serverId"],
    untold: ["automount", "format"],
    make: (_records, item, { size, location, format }, id) => {
      if (size < 10 || size > 10_240) throw refusal("invalid_input", "invalid input in field 'size': [size => [must be between 10 and 10240]]");
      if (!Object.hasOwn(LOCATIONS, location))
        throw refusal("invalid_input", `invalid input in field 'location': [location => [unknown location "${location}"]]`);
      if (format !== undefined && !["ext4", "xfs"].includes(format))
        throw refusal("invalid_input", "invalid input in field 'format': [format => [must be ext4 or xfs]]");
      item.outputs = { linuxDevice: `/dev/disk/by-id/scsi-0HC_Volume_${id}` };
      return [(machines, world) => machines.createVolume(world, String(id), size, format)];
    },
    change: (_records, _item, { id, news: { size }, olds }) => {
      if (size === olds["size"]) return [];
      if (size < Number(olds["size"])) throw refusal("invalid_input", "invalid input in field 'size': [size => [can only be increased]]");
      return [(machines, world) => machines.growVolume(world, String(id), size)];
    },
    remove: (records, item, id) => [...detach(records, id, item), (machines, world) => machines.destroyVolume(world, String(id))],
  });
}

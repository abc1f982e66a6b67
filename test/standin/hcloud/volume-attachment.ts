import * as z from "zod";

import type { Account } from "../account.ts";
import { previewable } from "../inputs.ts";
import type { Kind } from "../provider.ts";
import type { Item, Records } from "../world.ts";
import { refusal } from "./errors.ts";
import { findItem, getItem } from "./items.ts";
import { type Effect, runEffects } from "./machines.ts";

const VolumeAttachment = z.strictObject({ volumeId: z.int(), serverId: z.int(), automount: z.boolean().optional() });

const TYPE = "VolumeAttachment";

/** Not a thing of its own: a volume says which server it is at, and the attachment's id is the volume's. */
export function volumeAttachment(account: Account): Kind {
  const nameOf = (id: string | number): string => account.records().items[id]?.name ?? "";
  return {
    inputs: previewable(VolumeAttachment),
    replace: ["volumeId", "serverId"],
    create: async (props, { signal }) => {
      const { volumeId, serverId } = VolumeAttachment.parse(props);
      const create = (records: Records) => {
        const [volume, server] = [getItem(records, "Volume", volumeId), getItem(records, "Server", serverId)];
        if (volume.outputs["serverId"] !== undefined)
          throw refusal("volume_already_attached", "volume is already attached to a server, please detach it first");
        if (volume.inputs["location"] !== server.inputs["location"])
          throw refusal("invalid_input", "invalid input in field 'server': [server => [volume and server must be in the same location]]");
        volume.outputs["serverId"] = serverId;
        const { name } = server;
        return [(machines, world) => machines.attachVolume(world, name, String(volumeId))] satisfies Effect[];
      };
      await account.call({ on: "create", type: TYPE, name: nameOf(volumeId) }, create, { then: (effects) => runEffects(account, effects), signal });
      return { id: String(volumeId), outputs: props };
    },
    // Nothing is left to change: what else it takes, the API reads while it attaches.
    update: (_id, olds, news) => Promise.resolve({ ...olds, ...news }),
    read: (id, olds) =>
      account.call({ on: "read", type: TYPE, name: nameOf(id) }, (records) => {
        const serverId = findItem(records, "Volume", id)?.outputs["serverId"];
        if (serverId === undefined) return undefined;
        const inputs = { volumeId: Number(id), serverId, ...("automount" in olds ? { automount: olds["automount"] } : {}) };
        return { inputs, outputs: inputs };
      }),
    delete: async (id, _olds, { signal }) => {
      const remove = (records: Records) => {
        const volume = findItem(records, "Volume", id);
        return volume === undefined ? [] : detach(records, Number(id), volume);
      };
      await account.call({ on: "delete", type: TYPE, name: nameOf(id) }, remove, { then: (effects) => runEffects(account, effects), signal });
    },
  };
}

/** Takes a volume from the server it is at. */
export function detach(records: Records, id: number, volume: Item): Effect[] {
  const server = findItem(records, "Server", String(volume.outputs["serverId"]));
  delete volume.outputs["serverId"];
  return server === undefined ? [] : [(machines, world) => machines.detachVolume(world, server.name, String(id))];
}

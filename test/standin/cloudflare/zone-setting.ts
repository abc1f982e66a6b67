import * as z from "zod";

import type { Account } from "../account.ts";
import { previewable } from "../inputs.ts";
import type { Kind, Props } from "../provider.ts";
import type { Call, Records } from "../world.ts";
import { callTo, refusal } from "./errors.ts";
import { Id, readZones } from "./zones.ts";

const ZoneSetting = z.strictObject({ zoneId: Id, settingId: z.string(), value: z.unknown(), enabled: z.never("the stand-in has no such setting").optional() });

/** Values that a setting may have; the first is what a new zone has. */
const SETTINGS: Readonly<Record<string, readonly string[]>> = {
  ssl: ["full", "off", "flexible", "strict"],
  always_use_https: ["off", "on"],
  automatic_https_rewrites: ["on", "off"],
  min_tls_version: ["1.0", "1.1", "1.2", "1.3"],
  tls_1_3: ["on", "off", "zrt"],
  websockets: ["on", "off"],
};

const TYPE = "ZoneSetting";

/** A zone always has all its settings, so making one changes it, and deleting one does nothing at all. */
export function zoneSetting(account: Account): Kind {
  const callOf = (on: Call["on"], { zoneId, settingId }: Props): Call =>
    callTo(`/zones/${String(zoneId)}/settings/${String(settingId)}`, { on, type: TYPE, name: String(settingId) }, on === "read" ? "GET" : "PATCH");

  const set = (on: "create" | "update", props: Props, signal: AbortSignal): Promise<Props> => {
    const { zoneId, settingId, value } = ZoneSetting.parse(props);
    const call = callOf(on, props);
    return account.call(
      call,
      (records) => {
        refuseUnknown(account.world, call, zoneId, settingId);
        if (!SETTINGS[settingId]?.includes(String(value))) throw refusal(call, 400, { code: 1007, message: `Invalid value for zone setting ${settingId}` });
        const outputs = { editable: true, modifiedOn: new Date().toISOString() };
        records.items[`${zoneId}/${settingId}`] = { type: TYPE, name: settingId, labels: {}, inputs: props, outputs };
        return { ...props, ...outputs };
      },
      { signal },
    );
  };

  return {
    inputs: previewable(ZoneSetting),
    replace: ["zoneId", "settingId"],
    computed: ["editable", "modifiedOn"],
    renewed: ["modifiedOn"],
    create: async (props, { signal }) => ({ id: String(props["settingId"]), outputs: await set("create", props, signal) }),
    update: (_id, _olds, news, { signal }) => set("update", news, signal),
    read: (id, olds) => {
      const [zoneId = "", settingId = ""] = Object.keys(olds).length === 0 ? id.split("/", 2) : [String(olds["zoneId"]), id];
      const call = callOf("read", { zoneId, settingId });
      return account.call(call, (records: Records) => {
        refuseUnknown(account.world, call, zoneId, settingId);
        const item = records.items[`${zoneId}/${settingId}`];
        const inputs = item?.inputs ?? { zoneId, settingId, value: SETTINGS[settingId]?.[0] };
        return structuredClone({ inputs, outputs: { ...inputs, editable: true, ...item?.outputs } });
      });
    },
  };
}

function refuseUnknown(world: string, call: Call, zoneId: string, settingId: string): void {
  if (!readZones(world).some(({ id }) => id === zoneId) || !Object.hasOwn(SETTINGS, settingId))
    throw refusal(call, 400, {
      code: 7003,
      message: `Could not route to /client/v4/zones/${zoneId}/settings/${settingId}, perhaps your object identifier is invalid?`,
    });
}

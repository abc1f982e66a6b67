import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import type { Duplex } from "node:stream";

import { WebSocket } from "ws";
import { z } from "zod";

/** Protocol of OpenClaw 2026.9.6. */
const PROTOCOL = 4;
/** A page built by hand: a released one has to come from the very build that the gateway is of. */
const CLIENT = { buildId: "dev", id: "openclaw-control-ui", mode: "webchat", platform: "test", version: "1.0.0" } as const;
const ROLE = "operator";
const SCOPES = ["operator.read", "operator.write"];

const Frame = z.looseObject({
  type: z.string(),
  event: z.string().optional(),
  payload: z.looseObject({ nonce: z.string().optional(), ts: z.int().optional() }).optional(),
  ok: z.boolean().optional(),
  error: z.looseObject({ details: z.looseObject({ code: z.string().optional(), requestId: z.string().optional() }).optional() }).optional(),
});
type Frame = z.output<typeof Frame>;

/** What a browser keeps to be known again. */
export interface Device {
  id: string;
  publicKey: string;
  privateKey: KeyObject;
}

/** A browser that no gateway has seen yet. */
export function newDevice(): Device {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const raw = publicKey.export({ format: "der", type: "spki" }).subarray(-32);
  return { id: createHash("sha256").update(raw).digest("hex"), publicKey: raw.toString("base64url"), privateKey };
}

export interface ConnectArgs {
  /** Caddy's port on this machine, or a connection with it. */
  at: number | Duplex;
  /** Host header. */
  host: string;
  /** What a browser says about the page. Absent: none is sent. */
  origin?: string;
  /** Absent: none is sent. */
  token?: string;
  device: Device;
}

/** Why there is no session. */
export interface Refusal {
  isConnected: false;
  /** HTTP status where there was no WebSocket at all, else the code it was closed with. */
  status: number;
  /** The gateway's name for the reason, `PAIRING_REQUIRED`. */
  code: string | undefined;
  /** What to approve. */
  requestId: string | undefined;
}

/** How the first frame was answered. */
export type Handshake = { isConnected: true; socket: WebSocket } | Refusal;

/** Opens a WebSocket as the Control UI's page does: waits for the challenge, signs it with the device's key, and says which token it has. */
export async function connectControlUi({ at, host, origin, token, device }: ConnectArgs): Promise<Handshake> {
  const socket = new WebSocket(typeof at === "number" ? `ws://127.0.0.1:${at}/` : `ws://${host}/`, {
    ...(typeof at === "number" ? {} : { createConnection: () => at }),
    headers: { Host: host, ...(origin === undefined ? {} : { Origin: origin }) },
    handshakeTimeout: 60_000,
  });
  return new Promise((resolve, reject) => {
    let refusal: Frame["error"];
    socket.on("message", (data: Buffer) => {
      const frame = Frame.parse(JSON.parse(data.toString("utf8")));
      if (frame.event === "connect.challenge") socket.send(JSON.stringify(answerChallenge(frame, device, token)));
      else if (frame.type === "res" && frame.ok === true) resolve({ isConnected: true, socket });
      else if (frame.type === "res") refusal = frame.error;
    });
    socket.on("unexpected-response", (_, { statusCode = 0 }) => {
      resolve({ isConnected: false, status: statusCode, code: undefined, requestId: undefined });
      socket.terminate();
    });
    socket.on("close", (status) => {
      resolve({ isConnected: false, status, code: refusal?.details?.code, requestId: refusal?.details?.requestId });
    });
    socket.on("error", reject);
  });
}

function answerChallenge({ payload }: Frame, device: Device, token: string | undefined): object {
  const { nonce = "", ts: signedAt = 0 } = payload ?? {};
  const signed = ["v3", device.id, CLIENT.id, CLIENT.mode, ROLE, SCOPES.join(","), `${signedAt}`, token ?? "", nonce, CLIENT.platform, ""].join("|");
  const signature = sign(undefined, Buffer.from(signed), device.privateKey).toString("base64url");
  return {
    type: "req",
    id: "connect",
    method: "connect",
    params: {
      minProtocol: PROTOCOL,
      maxProtocol: PROTOCOL,
      client: CLIENT,
      role: ROLE,
      scopes: SCOPES,
      caps: [],
      auth: token === undefined ? {} : { token },
      device: { id: device.id, publicKey: device.publicKey, signature, signedAt, nonce },
    },
  };
}

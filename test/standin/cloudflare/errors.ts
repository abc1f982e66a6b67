import { STATUS_CODES } from "node:http";

import { ApiError, type Dialect, type Failure, READ_ONLY, UNKNOWN_TOKEN } from "../account.ts";
import type { Call } from "../world.ts";

/** What cloudflare-go waits before it tries again when the API names no time: 2 seconds and more. Nothing here depends on how long. */
const RETRY_SECONDS = 0.05;

const BASE = "https://api.cloudflare.com/client/v4";
const METHODS: Readonly<Record<string, string>> = { create: "POST", update: "PUT", delete: "DELETE" };

/** A call with the address that an error of it tells. */
export function callTo(path: string, call: Call, method = METHODS[call.on] ?? "GET"): Call {
  return { ...call, request: `${method} "${BASE}${path}"` };
}

/** An error as cloudflare-go prints it, after what the provider puts in front. */
export function refusal({ request = "" }: Call, status: number, error: { code: number; message: string }, retryAfterSeconds?: number): ApiError {
  const body = JSON.stringify({ result: null, success: false, errors: [error], messages: [] });
  return new ApiError(`failed to make http request: ${request}: ${status} ${STATUS_CODES[status] ?? ""} ${body}`, retryAfterSeconds);
}

/** How Cloudflare's API answers. Codes and words: public threads about its provider. */
export const cloudflareDialect: Dialect = {
  api: "cloudflare",
  maxRetries: 2,
  refuseToken: (token, call) => {
    // Everybody may ask for the addresses.
    if (call.type === "getIpRanges") return undefined;
    if (token === undefined) return refusal(call, 400, { code: 9106, message: "Missing X-Auth-Key, X-Auth-Email or Authorization headers" });
    if (token.startsWith(UNKNOWN_TOKEN)) return refusal(call, 403, { code: 9109, message: "Invalid access token" });
    const isReading = call.on === "read" || call.on === "list";
    return token.startsWith(READ_ONLY) && !isReading ? refusal(call, 403, { code: 10_000, message: "Authentication error" }) : undefined;
  },
  fail,
};

function fail(failure: Failure, call: Call): ApiError {
  switch (failure.kind) {
    case "status":
      return refusal(call, failure.status, { code: 10_013, message: STATUS_CODES[failure.status] ?? "" }, RETRY_SECONDS);
    case "rate-limit":
      return refusal(call, 429, { code: 971, message: "Please wait and consider throttling your request speed" }, failure.retryAfterSeconds);
    case "limit":
      return refusal(call, 400, { code: 81_045, message: "Record quota exceeded." });
    case "name-taken":
      return identicalRecord(call);
    case "sold-out":
      throw new Error("nothing is ever sold out at Cloudflare; plan another fault");
  }
}

/** The answer to a record that is there already. */
export function identicalRecord(call: Call): ApiError {
  return refusal(call, 400, { code: 81_058, message: "An identical record already exists." });
}

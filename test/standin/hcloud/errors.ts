import { randomBytes } from "node:crypto";

import { ApiError, type Dialect, type Failure, READ_ONLY, UNKNOWN_TOKEN } from "../account.ts";
import type { Call } from "../world.ts";

/** Codes after which hcloud-go tries again (its `retryPolicy`). It waits for 1, 2, 4, … seconds; nothing here depends on how long. */
const RETRIED = ["bad_gateway", "conflict", "timeout"];
const RETRY_SECONDS = 0.05;

const CODES: Readonly<Record<number, string>> = { 500: "server_error", 502: "bad_gateway", 503: "unavailable", 504: "timeout" };
const WORDS: Readonly<Record<number, string>> = { 502: "bad gateway", 503: "the service is currently unavailable", 504: "the request timed out" };

/** Calls that a read-only token may make. */
const READING: readonly Call["on"][] = ["read", "list"];

/** An error as hcloud-go prints it: words, code, and the id under which support finds it. */
export function refusal(code: string, words: string, retryAfterSeconds = RETRIED.includes(code) ? RETRY_SECONDS : undefined): ApiError {
  return new ApiError(`${words} (${code}, ${randomBytes(8).toString("hex")})`, retryAfterSeconds);
}

/** What Hetzner's API says to a second thing of this name. Public threads show exactly these words for servers and keys, and the bare ones for the others. */
export function nameTaken(type: string): ApiError {
  const nouns: Readonly<Record<string, string>> = { Server: "server ", SshKey: "SSH key " };
  return refusal("uniqueness_error", `${nouns[type] ?? ""}name is already used`);
}

export function notFound(noun: string, id: string | number): ApiError {
  return refusal("not_found", `${noun} with ID '${id}' not found`);
}

/** How Hetzner's API answers. Codes: the list in hcloud-go's error.go. */
export const hcloudDialect: Dialect = {
  api: "hcloud",
  maxRetries: 5,
  refuseToken: (token, { on }) => {
    if (token === undefined || token.startsWith(UNKNOWN_TOKEN)) return refusal("unauthorized", "unable to authenticate");
    const mayDo = !token.startsWith(READ_ONLY) || READING.includes(on);
    return mayDo ? undefined : refusal("token_readonly", "the token is only allowed to perform GET requests");
  },
  fail,
};

function fail(failure: Failure, { type }: Call): ApiError {
  switch (failure.kind) {
    case "status":
      return refusal(CODES[failure.status] ?? "server_error", WORDS[failure.status] ?? "internal server error");
    case "rate-limit":
      return refusal("rate_limit_exceeded", "limit of 3600 requests per hour reached", failure.retryAfterSeconds);
    case "sold-out":
      return refusal("resource_unavailable", "error during placement");
    case "limit":
      return refusal("resource_limit_exceeded", `${type === "PrimaryIp" ? "Primary IP" : type.toLowerCase()} limit exceeded`);
    case "name-taken":
      return nameTaken(type);
  }
}

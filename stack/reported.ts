import * as pulumi from "@pulumi/pulumi";

import { UserError } from "../lib/errors.ts";

/** The SDK's words for a resource that the engine could not make while the update goes on, behind the names of all that were waiting for it. */
const FAILED = /resource (\S+) \[[^\]]+\] failed to register$/;

/** Lets the engine print an operator's mistake as a few plain lines instead of a stack. */
export async function reported<T>(build: () => Promise<T>): Promise<T> {
  try {
    return await build();
  } catch (error) {
    if (error instanceof UserError) throw new pulumi.RunError([error.message, error.hint].filter(Boolean).join("\n"));
    throw error;
  }
}

/** Makes one plain line of what the SDK is about to print for a failed resource: the engine has told why it failed. It stays an error. */
export function shortenFailure(error: unknown): void {
  const name = error instanceof Error ? FAILED.exec(error.message)?.[1] : undefined;
  if (name !== undefined) Object.assign(error as Error, new pulumi.RunError(), { message: `${name} failed; what needs it waits for the next run` });
}

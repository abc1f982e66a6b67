import * as pulumi from "@pulumi/pulumi";

import { UserError } from "../lib/errors.ts";

/** Lets the engine print an operator's mistake as a few plain lines instead of a stack. */
export async function reported<T>(build: () => Promise<T>): Promise<T> {
  try {
    return await build();
  } catch (error) {
    if (error instanceof UserError) throw new pulumi.RunError([error.message, error.hint].filter(Boolean).join("\n"));
    throw error;
  }
}

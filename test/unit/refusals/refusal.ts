import type { z } from "zod";

import type { Cloud } from "../../../plan/cloud.ts";
import type { FleetInput } from "../../../plan/parse.ts";
import type { Settings } from "../../../plan/settings.ts";

/** One bad list and the one mistake that is reported for it. */
export interface Refusal {
  /** Completes "refuses …". */
  name: string;
  /** Default: one sound tenant. */
  tenants?: unknown[];
  /** As the operator writes them, over sound ones. */
  settings?: Partial<z.input<typeof Settings>>;
  over?: Partial<FleetInput>;
  /** What the accounts say, over sound ones without a server. */
  cloud?: Partial<Cloud>;
  /** The mistake as it is reported, to the letter; nothing else is. */
  line: string;
}

/** A digest that is none of the sound image's. */
export const digest = `sha256:${"b".repeat(64)}`;

/** A tenant beside the sound one. */
export const second = { id: "globex", name: "Globex Travel", port: 18802 };

/** The line about one field of the sound tenant. */
export const acme = (text: string): string => `tenant "acme", field ${text}`;

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { onTestFinished } from "vitest";

import { Account, type AccountOptions, type Dialect } from "../../standin/account.ts";
import { checkProps } from "../../standin/properties.ts";
import type { Kind, OperationContext, Props, Provider } from "../../standin/provider.ts";
import type { Records } from "../../standin/world.ts";

export interface Made {
  id: string;
  inputs: Props;
  outputs: Props;
}

/** A provider without an engine before it, and its account. */
export interface Cloud {
  account: Account;
  world: string;
  records(): Records;
  /** What was done and what for, with `failed` behind what was refused. */
  calls(): string[];
  kind(name: string): Kind;
  /** Checks inputs and makes the thing, as the engine does. */
  make(name: string, inputs: Props, context?: Partial<OperationContext>): Promise<Made>;
  /** Changes single inputs; the state is then the new one. */
  change(name: string, made: Made, inputs: Props): Promise<Made>;
  remove(name: string, made: Made): Promise<void>;
  /** What a refresh sees, and without `made` what an import does. */
  read(name: string, id: string, state?: Props): Promise<{ inputs: Props; outputs: Props } | undefined>;
  invoke(name: string, args?: Props): Promise<Props>;
  /** Reasons why inputs are refused, with the property of each. */
  mistakes(name: string, inputs: Props): string[];
}

const CONTEXT: OperationContext = { urn: "", timeoutSeconds: 0, signal: new AbortController().signal, log: () => undefined };

/** A world of its own for the test that runs. */
export function newCloud(dialect: Dialect, serve: (account: Account) => Provider, options: AccountOptions = {}): Cloud {
  const world = mkdtempSync(join(tmpdir(), "openclaw-tenants-world-"));
  onTestFinished(() => {
    rmSync(world, { recursive: true });
  });
  const account = new Account(dialect, world, options);
  account.token = "a token for tests".padEnd(64, ".");
  const provider = serve(account);
  const kind = (name: string): Kind => found(provider.kinds, name);
  const check = (name: string, inputs: Props) => checkProps(kind(name).inputs, inputs);
  const checked = (name: string, inputs: Props): Props => {
    const result = check(name, inputs);
    if ("failures" in result) throw new Error(JSON.stringify(result.failures));
    return result.props;
  };
  return {
    account,
    world,
    kind,
    records: () => account.records(),
    calls: () => account.records().log.map(({ on, type, name, error }) => `${on} ${type} ${name}${error === undefined ? "" : " failed"}`),
    make: async (name, given, context) => {
      const inputs = checked(name, given);
      return { ...(await kind(name).create(inputs, { ...CONTEXT, ...context })), inputs };
    },
    change: async (name, { id, inputs, outputs }, given) => {
      const news = checked(name, { ...inputs, ...given });
      return { id, inputs: news, outputs: (await kind(name).update?.(id, turned(outputs), news, CONTEXT)) ?? {} };
    },
    remove: async (name, { id, outputs }) => {
      await kind(name).delete?.(id, turned(outputs), CONTEXT);
    },
    read: async (name, id, state = {}) => await kind(name).read?.(id, turned(state)),
    invoke: async (name, args = {}) => await found(provider.functions ?? {}, name)(args, {}),
    mistakes: (name, inputs) => {
      const result = check(name, inputs);
      return "failures" in result ? result.failures.map(({ property, reason }) => `${property}: ${reason}`) : [];
    },
  };
}

/** A state as the engine keeps it: whatever order its keys had, they have another one. */
function turned(state: Props): Props {
  const turn = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(turn);
    if (typeof value !== "object" || value === null) return value;
    return turned(value as Props);
  };
  return Object.fromEntries(
    Object.entries(state)
      .toReversed()
      .map(([key, value]) => [key, turn(value)]),
  );
}

function found<T>(all: Readonly<Record<string, T>>, name: string): T {
  const one = Object.entries(all).find(([token]) => token.endsWith(`:${name}`))?.[1];
  if (one === undefined) throw new Error(`there is no ${name}`);
  return one;
}

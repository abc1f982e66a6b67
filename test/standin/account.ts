import { setTimeout as sleep } from "node:timers/promises";

import { type Fault, takeFault } from "./faults.ts";
import type { Machines } from "./hcloud/machines.ts";
import { type Call, exclusively, type Records, readRecords, writeJson } from "./world.ts";

/** An answer that is an error. */
export class ApiError extends Error {
  /** When the plug-in tries again by itself. Absent: it does not. */
  readonly retryAfterSeconds: number | undefined;

  constructor(message: string, retryAfterSeconds?: number) {
    super(message);
    this.name = "ApiError";
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** A change of several calls that failed in between: what was done until then stays done. */
export class Halfway extends Error {}

/** Faults that an API answers with. */
export type Failure = Exclude<Fault, { kind: "hang" | "hang-after" | "crash-after" }>;

/** How one API speaks. */
export interface Dialect {
  api: "hcloud" | "cloudflare";
  /** How often its plug-in tries again. */
  maxRetries: number;
  /** What a token is refused with; nothing when it may do this. */
  refuseToken(token: string | undefined, call: Call): ApiError | undefined;
  fail(failure: Failure, call: Call): ApiError;
}

export interface CallOptions<T> {
  /** What happens outside the records, and takes its time. */
  then?: (result: T) => Promise<void>;
  /** Ends a wait. */
  signal?: AbortSignal | undefined;
}

/** The prefix of a token that may only read. */
export const READ_ONLY = "ro-";
/** The prefix of a token that the API does not know. */
export const UNKNOWN_TOKEN = "bad-";

export interface AccountOptions {
  machines?: Machines | undefined;
  /** How a plug-in dies. Default: at once, with its process. */
  die?: () => void;
}

/** A simulated account: its records, and how its API answers. */
export class Account {
  readonly world: string;
  token: string | undefined;
  /** What makes servers real. Absent: they are records only. */
  readonly machines: Machines | undefined;
  readonly #dialect: Dialect;
  readonly #die: () => void;

  constructor(dialect: Dialect, world: string, { machines, die = () => process.kill(process.pid, "SIGKILL") }: AccountOptions = {}) {
    this.world = world;
    this.machines = machines;
    this.#dialect = dialect;
    this.#die = die;
  }

  /** What it holds now. */
  records(): Records {
    return readRecords(this.world, this.#dialect.api);
  }

  /** Calls the API, and again where its plug-in would. */
  async call<T>(call: Call, work: (records: Records) => T, options: CallOptions<T> = {}): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#attempt(call, work, options);
      } catch (error) {
        if (!(error instanceof ApiError) || error.retryAfterSeconds === undefined || attempt === this.#dialect.maxRetries) throw error;
        await sleep(error.retryAfterSeconds * 1000, undefined, { signal: options.signal });
      }
    }
  }

  async #attempt<T>(call: Call, work: (records: Records) => T, { then, signal }: CallOptions<T>): Promise<T> {
    const fault = takeFault(this.world, this.#dialect.api, call);
    if (fault?.kind === "hang") return await silence(signal);
    const failure = fault === undefined || fault.kind === "hang-after" || fault.kind === "crash-after" ? undefined : this.#dialect.fail(fault, call);
    const refusal = this.#dialect.refuseToken(this.token, call) ?? failure;
    const result = this.#record(call, (records) => {
      if (refusal !== undefined) throw refusal;
      return work(records);
    });
    await then?.(result);
    if (fault?.kind === "crash-after") this.#die();
    if (fault?.kind === "hang-after") await silence(signal);
    return result;
  }

  /** One change of the records, which a failure leaves alone but for the log. */
  #record<T>(call: Call, work: (records: Records) => T): T {
    return exclusively(this.world, () => {
      const save = ({ log, ...records }: Records, entry: Call): void => {
        writeJson(this.world, `${this.#dialect.api}.json`, { ...records, log: [...log, entry] });
      };
      const records = this.records();
      try {
        const result = work(records);
        save(records, call);
        return result;
      } catch (error) {
        save(error instanceof Halfway ? records : this.records(), { ...call, error: error instanceof Error ? error.message : String(error) });
        throw error;
      }
    });
  }
}

/** Lasts until the caller gives up. */
async function silence(signal: AbortSignal | undefined): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  const give = (): void => {
    reject(new Error("context deadline exceeded", { cause: signal?.reason }));
  };
  if (signal?.aborted === true) give();
  signal?.addEventListener("abort", give);
  return await promise;
}

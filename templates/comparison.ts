/** One field that is not what it was. Values are in the operator's words, and never a secret's. */
export interface FieldChange {
  field: string;
  /** Absent: it was not set. */
  before: string | undefined;
  /** Absent: it is not set any more. */
  after: string | undefined;
}

/** What becomes of one tenant. In every text here values stand between backticks. */
export interface TenantChange {
  id: string;
  /** The client's name; anything may be in it. */
  name: string;
  kind: "added" | "changed" | "moved" | "removed" | "resumed" | "suspended";
  what: string;
  fields: FieldChange[];
}

/** What a host holds. */
export interface HostUse {
  active: number;
  suspended: number;
  /** MiB that active tenants may use. */
  usedMb: number;
  /** MiB there are for tenants. */
  roomMb: number;
  /** Net, a month. Absent: nobody here knows. */
  eur: number | undefined;
}

/** One host before and after. */
export interface HostChange {
  id: string;
  /** What kind of machine it is, afterwards. */
  machine: string;
  /** Absent: it is new. */
  before: HostUse | undefined;
  /** Absent: it goes. */
  after: HostUse | undefined;
}

/** Something a reviewer must not miss. */
export interface Warning {
  /** `danger`: something is lost, laid open or down. `notice`: good to know before merging. */
  level: "danger" | "notice";
  text: string;
}

/** What a change of the list or the settings comes to. */
export interface Comparison {
  stack: string;
  /** What happens, who is interrupted, what it costs: a sentence each. */
  summary: string[];
  /** Tenants that run before and after, and not all the time in between. */
  interrupted: string[];
  warnings: Warning[];
  /** Those that change. */
  tenants: TenantChange[];
  /** All of them. */
  hosts: HostChange[];
  settings: FieldChange[];
}

/** Steps of the engine that belong to one tenant, one host or the whole stack. */
export interface EngineShare {
  owner: string;
  created: number;
  updated: number;
  replaced: number;
  deleted: number;
  /** Of the deleted: what only leaves the stack and stays where it is. */
  kept: number;
}

/** What becomes of a resource. */
export type Fate = "created" | "deleted" | "replaced" | "updated";

/** One resource that does not stay as it is. */
export interface EngineStep {
  fate: Fate;
  /** `docker:Container`. */
  type: string;
  name: string;
  /** Whose it is: a tenant, a host or all. */
  owner: string;
  /** Inputs that differ, by name. */
  inputs: string[];
  /** Whether what is deleted only leaves the stack and stays where it is. */
  isKept: boolean;
  /** Whether it is a volume that is no more than a name for a directory on its host, which outlives it. */
  hasDirectory: boolean;
}

/** What the engine's own preview comes to; no value of any property. */
export interface EngineAccount {
  /** Whether it got to its end. */
  isComplete: boolean;
  shares: EngineShare[];
  steps: EngineStep[];
}

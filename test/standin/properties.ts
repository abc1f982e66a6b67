import struct from "google-protobuf/google/protobuf/struct_pb.js";
import * as z from "zod";

export type Props = Record<string, unknown>;

const Props = z.record(z.string(), z.unknown());

/** What the engine sends for a value that is not known yet (`UnknownStringValue` of its plug-in protocol). */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** A schema that also accepts UNKNOWN. */
export function known(schema: z.ZodType): z.ZodType {
  return z.union([z.literal(UNKNOWN), schema]);
}

/** The engine's mark on a secret, which lies beside it as `value` (`SigKey` and `SecretSig` of its plug-in protocol). It is on a provider's config at all times. */
const SECRET: readonly string[] = ["4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270"];

/** A message's properties without what stands for absence, and without the engine's own marks and keys like `__defaults`. */
export function readProps(message: struct.Struct | undefined): Props {
  return Props.parse(withoutAbsent(message?.toJavaScript() ?? {}));
}

export function writeProps(props: Props): struct.Struct {
  // What JSON leaves out has no place in a message either.
  return struct.Struct.fromJavaScript(JSON.parse(JSON.stringify(props)) as Record<string, struct.JavaScriptValue>);
}

function withoutAbsent(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutAbsent);
  if (typeof value !== "object" || value === null) return value;
  if (Object.entries(value).some((entry) => entry.every((part, index) => part === SECRET[index])))
    return "value" in value ? withoutAbsent(value.value) : undefined;
  const kept = Object.entries(value).filter(([key, entry]) => !key.startsWith("__") && entry !== null && entry !== undefined);
  return Object.fromEntries(kept.map(([key, entry]) => [key, withoutAbsent(entry)]));
}

/** What a check says of properties: filled in, or every mistake with its path. */
export function checkProps(schema: z.ZodType, props: Props): { props: Props } | { failures: { property: string; reason: string }[] } {
  const result = schema.pipe(Props).safeParse(props);
  return result.success ? { props: result.data } : { failures: result.error.issues.flatMap(explain) };
}

function explain(issue: z.core.$ZodIssue): { property: string; reason: string }[] {
  // Of the ways a value can be right, the schema proper is the last and the one worth explaining.
  const inner = issue.code === "invalid_union" ? issue.errors.at(-1) : undefined;
  if (inner !== undefined) return inner.flatMap((each) => explain({ ...each, path: [...issue.path, ...each.path] }));
  return [{ property: z.core.toDotPath(issue.path), reason: issue.message }];
}

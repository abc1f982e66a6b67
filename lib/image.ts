/** The parts of an image reference that this program decides by. */
export interface ImageReference {
  repository: string;
  /** Version at the start of the tag, `2026.9.6` in `2026.9.6-slim`. Absent: the tag names none. */
  version: string | undefined;
  /** Whether the reference can mean one image only. */
  isPinned: boolean;
  /** Made by set-up on this Docker, so never to be pulled. */
  isBuilt: boolean;
}

/** Set-up tags what it built with the hash of its recipe: such an image was never in a registry and has no digest. */
const BUILT = /^openclaw-tenants\/[a-z]+:[\w.]+-built-[0-9a-f]{8}$/;

/** Takes an image reference apart. */
export function parseImage(reference: string): ImageReference {
  const [name = "", digest] = reference.split("@", 2);
  const colon = name.lastIndexOf(":");
  const hasTag = colon > name.lastIndexOf("/");
  const isBuilt = BUILT.test(reference);
  return {
    repository: hasTag ? name.slice(0, colon) : name,
    version: hasTag ? /^v?(\d+\.\d+\.\d+)(?:-|$)/.exec(name.slice(colon + 1))?.[1] : undefined,
    isPinned: isBuilt || /^sha256:[0-9a-f]{64}$/.test(digest ?? ""),
    isBuilt,
  };
}

/** Negative when `a` is older than `b`; both are dotted numbers. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split(".").map(Number)) as [number[], number[]];
  const at = left.findIndex((part, index) => part !== right[index]);
  return at === -1 ? 0 : (left[at] ?? 0) - (right[at] ?? 0);
}

/** Why a reference may not be used: unpinned, no version in its tag, or too old. */
export function findImageMistakes(reference: string, need: { product: string; oldest: string }): string[] {
  const { version, isPinned } = parseImage(reference);
  const mistakes: string[] = [];
  if (version === undefined) mistakes.push(`the tag must be a version of ${need.product}, ${need.oldest} or later, not a moving name`);
  else if (compareVersions(version, need.oldest) < 0)
    mistakes.push(`version ${version} of ${need.product} is too old; the oldest supported one is ${need.oldest}`);
  if (!isPinned) mistakes.push("it is not pinned; write name:version@sha256:digest");
  return mistakes;
}

/** One file to be placed, with its path relative to where it goes. */
export interface PlacedFile {
  path: string;
  contentBase64: string;
  isExecutable: boolean;
}

/** The shared skills library as it lies in `skills/`. */
export interface SkillLibrary {
  /** Directory names; each is a skill. */
  names: readonly string[];
  files: readonly PlacedFile[];
}

/** One line per skill of the library that OpenClaw would not load. */
export function findLibraryMistakes({ names, files }: SkillLibrary): string[] {
  return names.flatMap((name) => {
    const manifest = files.find(({ path }) => path === `${name}/SKILL.md`);
    if (manifest === undefined) return [`skill "${name}" has no skills/${name}/SKILL.md; add it`];
    const front = /^---\n([\s\S]*?)\n---\n/.exec(Buffer.from(manifest.contentBase64, "base64").toString("utf8"))?.[1] ?? "";
    const missing = ["name", "description"].filter((field) => !new RegExp(`^${field}: *\\S`, "m").test(front));
    return missing.map((field) => `skills/${name}/SKILL.md has no "${field}" between its first two --- lines; add it`);
  });
}

import { quoted } from "../lib/prose.ts";

/** A text whose values stand between backticks, as markdown: values become code, and nothing else in it means anything to GitHub. */
export function toMarkdown(text: string): string {
  return text
    .split("`")
    .map((part, index) => (index % 2 === 0 ? escapeText(part) : part === "" ? "" : `\`${part}\``))
    .join("");
}

/** A table. A line in a cell stays one. */
export function renderTable(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map((cells) => line(cells.map(toCell)))];
}

function toCell(text: string): string {
  // Even in code, a cell ends at a bar.
  return text
    .split("\n")
    .map((part) => toMarkdown(part).replaceAll(/\\?\|/g, "\\|"))
    .join("<br>");
}

/** An error's own words, which quote values and commands, as a text whose values stand between backticks. */
export function toProse(message: string): string {
  const parts = message.split(/"((?:[^"\\\n]|\\.)*)"|`([^`\n]*)`|(\bpulumi config set [^;\n]*)/) as (string | undefined)[];
  return parts.map((part, index) => (part === undefined ? "" : index % 4 === 0 ? part.replaceAll("`", "'") : quoted(part))).join("");
}

/** Takes their meaning from marks of markdown, and from mentions and addresses, which GitHub finds by itself. */
function escapeText(text: string): string {
  return text
    .replaceAll(/[\\*_{}[\]<>|!~$&^]/g, "\\$&")
    .replaceAll(/[@#]/g, "$&&#8203;")
    .replaceAll("://", ":\\//");
}

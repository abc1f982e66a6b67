import { refusal } from "./errors.ts";

type Labels = Readonly<Record<string, string>>;

const KEY = String.raw`[A-Za-z0-9](?:[\w./-]*[A-Za-z0-9])?`;
const VALUE = String.raw`(?:[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)?`;
const EQUALITY = new RegExp(`^(${KEY})\\s*(==|=|!=)\\s*(${VALUE})$`);
const MEMBERSHIP = new RegExp(`^(${KEY})\\s+(in|notin)\\s+\\(([^()]*)\\)$`);
const PRESENCE = new RegExp(`^(!?)(${KEY})$`);

/** Whether labels fit a selector in the language of Hetzner's API. No selector: everything does. */
export function matchesSelector(labels: Labels, selector: string | undefined): boolean {
  if (selector === undefined || selector === "") return true;
  // A comma in parentheses separates values, not terms.
  return selector.split(/,(?![^(]*\))/).every((term) => matchesTerm(labels, term.trim()));
}

function matchesTerm(labels: Labels, term: string): boolean {
  const equality = EQUALITY.exec(term);
  if (equality !== null) return (valueOf(labels, equality[1]) === equality[3]) === (equality[2] !== "!=");
  const membership = MEMBERSHIP.exec(term);
  if (membership !== null) {
    const values = membership[3]?.split(",").map((value) => value.trim()) ?? [];
    return values.includes(valueOf(labels, membership[1]) ?? NaN.toString()) === (membership[2] === "in");
  }
  const presence = PRESENCE.exec(term);
  if (presence !== null) return (valueOf(labels, presence[2]) !== undefined) === (presence[1] === "");
  throw refusal("invalid_input", `invalid input in field 'label_selector': "${term}" is not a term of a label selector`);
}

function valueOf(labels: Labels, key = ""): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined;
}

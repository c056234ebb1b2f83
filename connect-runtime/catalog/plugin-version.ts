/** `*.plugin.version` (KIP-891): a version, or a range in Maven's notation; one version of each plugin is there to choose from. */

/** Maven's qualifiers in their order; what is not among them comes after all of them, by its name. */
const QUALIFIERS: readonly string[] = ["alpha", "beta", "milestone", "rc", "snapshot", "", "sp"];
const SAME: Readonly<Record<string, string>> = { a: "alpha", b: "beta", m: "milestone", cr: "rc", final: "", ga: "", release: "" };
type Item = number | string;

function itemsOf(version: string): Item[] {
  const items: Item[] = [];
  // 3.4.0.Beta1 is 3.4.Beta1: zeros at the end of the numbers do not count.
  const cut = (): void => {
    while (items.at(-1) === 0 || items.at(-1) === "") items.pop();
  };
  for (const text of version.toLowerCase().match(/\d+|[a-z]+/g) ?? []) {
    const number = /^\d/.test(text);
    if (!number) cut();
    items.push(number ? Number(text) : (SAME[text] ?? text));
  }
  cut();
  return items;
}
function rank(item: Item | undefined): readonly [number, number | string] {
  if (typeof item === "number") return [2, item];
  const known = QUALIFIERS.indexOf(item ?? "");
  // A qualifier is older than nothing at all, and nothing is older than a number that follows.
  return known >= 0 ? [known < QUALIFIERS.indexOf("") ? 0 : 1, known] : [1, item ?? ""];
}
/** Negative: `a` is the older one. */
export function compareVersions(a: string, b: string): number {
  const [one, other] = [itemsOf(a), itemsOf(b)];
  for (let n = 0; n < Math.max(one.length, other.length); n++) {
    const [kind, value] = rank(one[n]);
    const [otherKind, otherValue] = rank(other[n]);
    if (kind !== otherKind) return kind - otherKind;
    if (typeof value === "number" && typeof otherValue === "number" && value !== otherValue) return value - otherValue;
    if (typeof value !== typeof otherValue) return typeof value === "number" ? -1 : 1;
    if (value !== otherValue) return String(value) < String(otherValue) ? -1 : 1;
  }
  return 0;
}

interface Span {
  readonly from: string | null;
  readonly fromIncluded: boolean;
  readonly to: string | null;
  readonly toIncluded: boolean;
}
const PART = /^([[(])\s*([^,\])[(]*?)\s*(?:(,)\s*([^,\])[(]*?)\s*)?([\])])\s*(?:,\s*|$)/;

/** Null: no notation of Maven's. A version without brackets is meant as it stands. */
function spansOf(asked: string): Span[] | null {
  let rest = /^[[(]/.test(asked) ? asked : `[${asked}]`;
  const spans: Span[] = [];
  while (rest !== "") {
    const m = PART.exec(rest);
    if (m === null) return null;
    const [whole, open, first = "", comma, second = "", close] = m;
    if (comma === undefined && (first === "" || open !== "[" || close !== "]")) return null;
    const to = comma === undefined ? first : second;
    if (first !== "" && to !== "" && compareVersions(first, to) > 0) return null;
    spans.push({ from: first || null, fromIncluded: open === "[", to: to || null, toIncluded: close === "]" });
    rest = rest.slice(whole.length);
  }
  return spans;
}
function holds({ from, fromIncluded, to, toIncluded }: Span, version: string): boolean {
  const [low, high] = [from === null ? 1 : compareVersions(version, from), to === null ? -1 : compareVersions(version, to)];
  return (low > 0 || (low === 0 && fromIncluded)) && (high < 0 || (high === 0 && toIncluded));
}
const printed = (s: Span): string => `${s.fromIncluded ? "[" : "("}${s.from ?? ""},${s.to ?? ""}${s.toIncluded ? "]" : ")"}`;

/** Kafka's sentence when the one that is there is not asked for; null: it is. */
export function versionRefusal(className: string, available: string, asked: string | null | undefined): string | null {
  const text = asked?.trim() ?? "";
  if (text === "" || text === "latest") return null;
  const spans = spansOf(text);
  if (spans === null) return `Invalid version specification: ${text}`;
  if (spans.some((span) => holds(span, available))) return null;
  return `Plugin ${className} not found that matches the version range ${spans.map(printed).join(",")}, available versions: [${available}]`;
}

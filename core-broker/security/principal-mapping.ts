/** `ssl.principal.mapping.rules` (KIP-371): `RULE:pattern/replacement/[LU]` or DEFAULT, separated by commas; the first that fits counts. */
import { invalid } from "./listener-settings.ts";

const KEY = "ssl.principal.mapping.rules";
const RULE = /\s*(?:(DEFAULT)|RULE:((?:\\.|[^\\/])*)\/((?:\\.|[^\\/])*)\/([LU]?))\s*(?:,|$)/y;

type Rule = (name: string) => string | null;

/** Throws BrokerError(INVALID_CONFIG). The mapper throws an Error for a name that no rule fits. */
export function principalMapper(text: string): (distinguishedName: string) => string {
  const rules = parseRules(text.trim() === "" ? "DEFAULT" : text.trim());
  return (distinguishedName) => {
    for (const rule of rules) {
      const name = rule(distinguishedName);
      if (name !== null) return name;
    }
    throw new Error(`no rule of ${KEY} fits the certificate's subject ${distinguishedName}`);
  };
}
function parseRules(text: string): readonly Rule[] {
  const rules: Rule[] = [];
  const scanner = new RegExp(RULE);
  while (scanner.lastIndex < text.length) {
    const match = scanner.exec(text);
    if (match === null) throw invalid(KEY, `${text}: DEFAULT or RULE:pattern/replacement/[LU] expected`);
    const [, isDefault, pattern = "", replacement = "", letters = ""] = match;
    rules.push(isDefault === undefined ? mapping(pattern, replacement, letters) : (name) => name);
  }
  return rules;
}
function mapping(pattern: string, replacement: string, letters: string): Rule {
  let whole: RegExp;
  try {
    whole = new RegExp(`^(?:${pattern})$`);
  } catch {
    throw invalid(KEY, `${pattern} is no regular expression`);
  }
  const everywhere = new RegExp(pattern, "g");
  const to = javaReplacement(replacement);
  return (name) => {
    if (!whole.test(name)) return null;
    const mapped = name.replace(everywhere, to);
    if (letters === "L") return mapped.toLowerCase();
    return letters === "U" ? mapped.toUpperCase() : mapped;
  };
}
/** In Java a backslash keeps the next character, and `$0` is the match. */
function javaReplacement(text: string): (...match: readonly (string | number)[]) => string {
  return (...match) =>
    text.replaceAll(/\\(.)|\$(\d)/g, (_all, kept: string | undefined, group: string | undefined) =>
      group === undefined ? (kept ?? "") : String(match[Number(group)] ?? ""),
    );
}

/** Character sets: which one a collation belongs to, and two ways of inheriting them. */

/** Null: the collation is of no one character set (MariaDB's uca1400_*), or DEFAULT. */
export function charsetOfCollation(collation: string): string | null {
  const lower = collation.toLowerCase();
  if (lower === "default" || lower.startsWith("uca1400_")) return null;
  const end = lower.indexOf("_");
  return end < 0 ? lower : lower.slice(0, end);
}
/**
 * What a table or database takes from above. `charset` as Debezium's model has it (it overlooks a COLLATE alone and
 * CONVERT TO), `stored` as the server has it.
 */
export interface CharsetDefault {
  readonly charset: string | null;
  readonly stored: string | null;
}
export interface CharsetChoice {
  /** As written; null: not given, or DEFAULT. */
  charset: string | null;
  collation: string | null;
}
export function chosen(choice: CharsetChoice, above: CharsetDefault): CharsetDefault {
  const fromCollation = choice.collation === null ? null : charsetOfCollation(choice.collation);
  return { charset: choice.charset ?? above.charset, stored: choice.charset?.toLowerCase() ?? fromCollation ?? above.stored };
}
/** The same bytes mean the same: utf8 is utf8mb3. */
export const sameCharset = (a: string | null, b: string | null): boolean => canonical(a) === canonical(b);
const canonical = (name: string | null): string | null => (name?.toLowerCase() === "utf8" ? "utf8mb3" : (name?.toLowerCase() ?? null));

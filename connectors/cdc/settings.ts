/** Reads a connector's settings by their declaration: one place where strings become values and defaults apply. */
import type { ConfigDef } from "#connect/api/config";
import { ConfigError } from "#connect/api/errors";

export class Settings {
  readonly #given: Readonly<Record<string, string | null>>;
  readonly #defaults: ReadonlyMap<string, string | null>;

  constructor(given: Readonly<Record<string, string | null>>, declared: ConfigDef) {
    this.#given = given;
    this.#defaults = new Map(
      declared.map((k) => [
        k.name,
        k.default === undefined || k.default === null ? null : Array.isArray(k.default) ? k.default.join(",") : String(k.default),
      ]),
    );
  }
  /** Null: neither given nor with a default. */
  optional(name: string): string | null {
    const given = this.#given[name];
    if (given !== undefined && given !== null) return given.trim();
    return this.#defaults.get(name) ?? null;
  }
  string(name: string): string {
    const value = this.optional(name);
    if (value === null || value === "") throw new ConfigError(`The '${name}' value is invalid: A value is required`);
    return value;
  }
  int(name: string): number {
    const value = Number(this.string(name));
    if (!Number.isInteger(value)) throw new ConfigError(`The '${name}' value is invalid: An integer is expected`);
    return value;
  }
  bool(name: string): boolean {
    return (this.optional(name) ?? "false").toLowerCase() === "true";
  }
  /** Comma-separated, trimmed, empty entries left out. */
  list(name: string): readonly string[] {
    return (this.optional(name) ?? "")
      .split(",")
      .map((s) => s.trim())
      .filter((s) => s !== "");
  }
  /** Lower-cased, for options whose values are names. */
  choice(name: string): string {
    return this.string(name).toLowerCase();
  }
  /** Settings whose names match, in the order given. */
  matching(pattern: RegExp): readonly { readonly match: RegExpExecArray; readonly value: string }[] {
    const found = [];
    for (const [name, value] of Object.entries(this.#given)) {
      const match = pattern.exec(name);
      if (match !== null && value !== null) found.push({ match, value });
    }
    return found;
  }
  isGiven(name: string): boolean {
    const value = this.#given[name];
    return value !== undefined && value !== null && value !== "";
  }
}

/**
 * How a class may be named: in full, by its simple name, and by the simple name without the suffix of its kind (KIP-146's
 * aliases), or by our own short name. A name that two plugins share belongs to neither.
 */
interface Named {
  readonly name: string;
  readonly classes: readonly string[];
}
export class ClassNames<T extends Named> {
  readonly #byName = new Map<string, T>();

  constructor(plugins: readonly T[], suffix: string) {
    const aliases = new Map<string, Set<T>>();
    const alias = (name: string, plugin: T): void => void aliases.set(name, (aliases.get(name) ?? new Set()).add(plugin));
    for (const plugin of plugins) {
      alias(plugin.name, plugin);
      for (const className of plugin.classes) {
        this.#byName.set(className, plugin);
        const simple = className.slice(className.lastIndexOf(".") + 1);
        alias(simple, plugin);
        if (suffix !== "" && simple.endsWith(suffix) && simple.length > suffix.length) alias(simple.slice(0, -suffix.length), plugin);
      }
    }
    for (const [name, owners] of aliases) {
      const [only] = owners;
      if (owners.size === 1 && only !== undefined && !this.#byName.has(name)) this.#byName.set(name, only);
    }
  }
  find(name: string): T | null {
    return this.#byName.get(name) ?? null;
  }
  /** The full class name that was meant. */
  fullName(name: string): string | null {
    const plugin = this.find(name);
    if (plugin === null) return null;
    return plugin.classes.find((c) => c === name || c.endsWith(`.${name}`)) ?? plugin.classes[0] ?? null;
  }
  /** Concrete classes of an abstract one: `X$Key`, `X$Value` for `X`. */
  variants(name: string): readonly string[] {
    return [...this.#byName.keys()].filter((c) => c.includes(".") && c.startsWith(`${name}$`)).sort();
  }
}

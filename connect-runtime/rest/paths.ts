/** Which methods a path knows: for 405, 404 and OPTIONS. */
import type { Route } from "./route.ts";

/** In which Kafka Connect lists them. */
const ORDER = ["HEAD", "POST", "DELETE", "GET", "OPTIONS", "PUT", "PATCH"];

export class KnownPaths {
  readonly #paths: { readonly pattern: RegExp; readonly methods: Set<string> }[] = [];

  constructor(routes: readonly Route[]) {
    const byPath = new Map<string, Set<string>>();
    for (const route of routes) byPath.set(route.path, (byPath.get(route.path) ?? new Set()).add(route.method));
    for (const [path, methods] of byPath) {
      const pattern = path
        .split("/")
        .map((part) => (part === "*" ? ".*" : part.startsWith(":") ? "[^/]+" : part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")))
        .join("/");
      this.#paths.push({ pattern: new RegExp(`^${pattern === "/" ? "" : pattern}/?$`), methods });
    }
  }
  /** Null: no such path. */
  methods(path: string): readonly string[] | null {
    const found = this.#paths.find((p) => p.pattern.test(path));
    if (found === undefined) return null;
    return ORDER.filter((m) => m === "OPTIONS" || found.methods.has(m === "HEAD" ? "GET" : m));
  }
}

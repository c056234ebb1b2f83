/**
 * tedious loads Azure's login libraries with itself, though only Azure's logins use them: 120 modules and 16 MB resident. Here they
 * get into the module cache as stand-ins that load the real ones when something of them is used. Import this before mssql.
 */
import { createRequire } from "node:module";

const ON_DEMAND = ["@azure/identity", "@azure/keyvault-keys"] as const;

const own = createRequire(import.meta.url);
const tedious = createRequire(createRequire(own.resolve("mssql")).resolve("tedious"));

function standIn(name: string): void {
  const file = tedious.resolve(name);
  const { cache } = tedious;
  // Somebody else has loaded it already.
  if (cache[file] !== undefined) return;
  let real: object | null = null;
  const load = (): object => {
    if (real === null) {
      delete cache[file];
      real = tedious(name) as object;
    }
    return real;
  };
  cache[file] = {
    id: file,
    filename: file,
    path: file,
    loaded: true,
    children: [],
    paths: [],
    parent: null,
    isPreloading: false,
    require: tedious,
    exports: new Proxy(
      {},
      {
        get: (_, key): unknown => Reflect.get(load(), key),
        has: (_, key) => Reflect.has(load(), key),
        ownKeys: () => Reflect.ownKeys(load()),
      },
    ),
  };
}
for (const name of ON_DEMAND) standIn(name);

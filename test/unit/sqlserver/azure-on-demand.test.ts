import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";

const ROOT = new URL("../../../", import.meta.url);
/** Runs in a process of its own: modules stay loaded. */
function run(code: string): string {
  return execFileSync(process.execPath, ["--input-type=module", "-e", code], { cwd: ROOT, encoding: "utf8" }).trim();
}
const LOADED = `const require = createRequire(new URL("connectors/sqlserver/connection.ts", "${ROOT.href}"));
  const loaded = () => Object.keys(require.cache).filter((f) => f.includes("/@azure/identity/")).length;`;

test("Azure's libraries are loaded when something of them is used, and not before", () => {
  const out = run(`import { createRequire } from "node:module";
    await import("#connectors/sqlserver/index");
    await import("${new URL("connectors/sqlserver/connection.ts", ROOT).href}");
    ${LOADED}
    const before = loaded();
    const tedious = createRequire(createRequire(require.resolve("mssql")).resolve("tedious"));
    const { ClientSecretCredential } = tedious("@azure/identity");
    console.log(before, typeof ClientSecretCredential, loaded() > 10);`);
  // The stand-in itself.
  expect(out).toBe("1 function true");
});

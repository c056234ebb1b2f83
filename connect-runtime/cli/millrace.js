#!/usr/bin/env node
// Runs the command line on a Node that strips types; an older one starts the `node` package that comes with the development set-up.
// The compile cache is turned on here and not in TypeScript: a first module that has to be stripped loads the stripper (50 ms, 10 MB).
import * as nodeModule from "node:module";

if (Number(process.versions.node.split(".")[0]) >= 24) {
  nodeModule.enableCompileCache();
  await import("./millrace.ts");
} else {
  const { spawn } = await import("node:child_process");
  const { fileURLToPath } = await import("node:url");
  const node = nodeModule.createRequire(import.meta.url).resolve("node/bin/node");
  const program = fileURLToPath(new URL("./millrace.ts", import.meta.url));
  const child = spawn(node, [program, ...process.argv.slice(2)], { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
  child.on("exit", (code) => process.exit(code ?? 1));
}

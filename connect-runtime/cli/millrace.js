#!/usr/bin/env node
// Runs the command line on a Node that strips types; an older one starts the `node` package that comes with the development set-up.
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("./millrace.ts", import.meta.url));
if (Number(process.versions.node.split(".")[0]) >= 24) await import("./millrace.ts");
else {
  const node = createRequire(import.meta.url).resolve("node/bin/node");
  const child = spawn(node, [program, ...process.argv.slice(2)], { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
  child.on("exit", (code) => process.exit(code ?? 1));
}

/**
 * `npm start`: broker and worker as `millrace start` starts them, a sample PostgreSQL, and two connectors posted to our own REST
 * as a user would post them. `--no-demo` leaves the last two out.
 */
import { enableCompileCache } from "node:module";

enableCompileCache();

import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { RunningConnectors } from "./show.ts";

const OPTIONS = ["config", "data-dir", "broker", "rest", "sample-port"];
const SAMPLE_PORT = 54329;
const EXAMPLES = ["inventory-source.json", "inventory-replica.json"];

async function main(): Promise<void> {
  const given = process.argv.slice(2);
  const [{ parseArguments, UsageError }, serve, { runUntilSignal }] = await Promise.all([
    import("#connect/cli/arguments"),
    import("#connect/cli/serve"),
    import("#connect/cli/run"),
  ]);
  try {
    const args = parseArguments(
      given.filter((a) => a !== "--no-demo"),
      OPTIONS,
    );
    if (given.includes("--no-demo")) return await runUntilSignal(() => serve.serveStart(args));
    await runUntilSignal(() => startDemo(args));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`millrace: ${error.message}\n`);
    process.exitCode = 2;
  }
}

type Arguments = import("#connect/cli/arguments").Arguments;
type Running = import("#connect/cli/run").Running;

async function startDemo(args: Arguments): Promise<Running> {
  const [{ serveStart }, { startSamplePostgres }, { createDatabases }, { show }] = await Promise.all([
    import("#connect/cli/serve"),
    import("./sample-postgres.ts"),
    import("./inventory.ts"),
    import("./show.ts"),
  ]);
  const folder = resolve(args.options["data-dir"] ?? "./millrace-data");
  const samplePort = Number(args.options["sample-port"] ?? SAMPLE_PORT);
  const rest = `http://${args.options["rest"] ?? "127.0.0.1:8083"}`;
  const bootstrap = args.options["broker"] ?? "127.0.0.1:9092";
  const options = Object.fromEntries(Object.entries(args.options).filter(([name]) => name !== "sample-port"));
  // The live view owns the terminal; what is worth a look still comes through.
  const running = await serveStart({
    ...args,
    options,
    overrides: { "log.level": "warn", "offset.flush.interval.ms": "2000", ...args.overrides },
  });
  process.stdout.write(`${running.ready}\n`);
  const undo: (() => Promise<void>)[] = [() => running.close()];
  const close = async (): Promise<void> => {
    for (let step = undo.pop(); step !== undefined; step = undo.pop()) await step();
  };
  try {
    const postgres = await startSamplePostgres(resolve(folder, "sample-postgres"), samplePort);
    // The connectors are stopped before their database.
    undo.unshift(() => postgres.stop());
    await createDatabases(postgres.port);
    const posted: RunningConnectors = { topics: [], sinkGroup: "connect-inventory-replica" };
    for (const file of EXAMPLES) await post(rest, file, samplePort, posted);
    const shown = await show({ rest, bootstrap, samplePort, folder, posted });
    undo.push(() => shown.stop());
    return { ready: `millrace ready: demo running, sample database 127.0.0.1:${samplePort}`, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Posts the file as it stands (but for another --sample-port). A connector that exists already is left as it is. */
async function post(rest: string, file: string, samplePort: number, posted: RunningConnectors): Promise<void> {
  const text = (await readFile(new URL(`../examples/${file}`, import.meta.url), "utf8")).replaceAll(
    String(SAMPLE_PORT),
    String(samplePort),
  );
  const response = await fetch(`${rest}/connectors`, { method: "POST", headers: { "content-type": "application/json" }, body: text });
  const body = await response.text();
  if (!response.ok && response.status !== 409)
    throw new Error(`examples/${file} was refused with ${response.status}: ${body}. Correct the file and start again.`);
  const config: unknown = Reflect.get(Object(JSON.parse(text)), "config");
  const topics: unknown = Reflect.get(Object(config), "topics");
  if (typeof topics === "string") posted.topics.push(...topics.split(","));
}
await main();

/** Small Java programs of test/compat/java, compiled against Kafka's jars and run as peers. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { kafkaLibs } from "./kafka.ts";

export interface JavaProgram {
  /** Empty: it can run. */
  readonly reason: string;
  /** Of `java`, before the class name. */
  readonly options: readonly string[];
}

/** The class of this name, without a package. Throws when the jars are there and it does not compile. */
export function compileJava(name: string, furtherLibs: readonly string[] = []): JavaProgram {
  const { libs, reason } = kafkaLibs();
  if (libs === null) return { reason, options: [] };
  if (spawnSync("javac", ["-version"]).status !== 0) return { reason: "no javac on the path", options: [] };
  const classes = mkdtempSync(join(tmpdir(), "java-peer-"));
  process.once("exit", () => rmSync(classes, { recursive: true, force: true }));
  const source = join(import.meta.dirname, `../compat/java/${name}.java`);
  const { status, stderr } = spawnSync("javac", ["-cp", `${libs}/*`, "-d", classes, source], { encoding: "utf8" });
  if (status !== 0) throw new Error(`${name}.java does not compile: ${stderr}`);
  return { reason: "", options: ["-Xmx200m", "-cp", [classes, ...[libs, ...furtherLibs].map((folder) => `${folder}/*`)].join(":")] };
}

/**
 * A real Kafka Connect worker of the JVM, from the jars of `kafka.ts`, and Debezium's from $DEBEZIUM_LIBS or the cache folder. To have
 * them: `mvn dependency:copy-dependencies` of io.debezium:debezium-connector-postgres:3.4.0.Final, and DEBEZIUM_LIBS=that folder.
 */
import { existsSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { type Process, spawned } from "../chaos/worker-process.ts";
import { kafkaLibs } from "./kafka.ts";

/** The folder with Debezium's jars, or why there is none. */
export function debeziumLibs(): { readonly libs: string | null; readonly reason: string } {
  const candidates = [process.env["DEBEZIUM_LIBS"], join(homedir(), ".cache/anchors/mvn/dbz/dbz-libs")];
  const libs = candidates.find(
    (each) => each !== undefined && existsSync(each) && readdirSync(each).some((name) => name.startsWith("debezium-connector-postgres-")),
  );
  if (libs === undefined)
    return { libs: null, reason: "no Debezium jars (set DEBEZIUM_LIBS to a folder with those of debezium-connector-postgres)" };
  return { libs, reason: kafkaLibs().reason };
}
/** Worker settings that make the JVM find its plugins; they mean nothing to other workers. */
export function pluginSettings(): Record<string, string> {
  const { libs } = debeziumLibs();
  return { "plugin.discovery": "service_load", ...(libs === null ? {} : { "plugin.path": dirname(libs) }) };
}
/** `main`: distributed with one properties file, standalone with those of connectors after it. Resolves when REST is up. */
export function startJvmWorker(main: "ConnectDistributed" | "ConnectStandalone", files: readonly string[]): Promise<Process> {
  const { libs, reason } = kafkaLibs();
  if (libs === null) throw new Error(reason);
  const quiet = ["-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.connect=info"];
  const vm = ["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", ...quiet];
  const ready = /Kafka Connect started/;
  return spawned("java", [...vm, "-cp", `${libs}/*`, `org.apache.kafka.connect.cli.${main}`, ...files], ready);
}

/**
 * Validation of a connector's configuration as Kafka Connect does it: the runtime's own settings, transforms and predicates, the
 * connector's declaration and its own checks, converters, client overrides. The answer lists all of them in Kafka's order.
 */
import { inHashMapOrder } from "../api/hash-map-order.ts";
import type { ConfigDef, ConfigFinding, RawConfig } from "../api/config.ts";
import { parseConfigValue, validateConfig } from "../api/config-parse.ts";
import type { ConnectorPlugin, SourceConnectorPlugin } from "../api/connector.ts";
import { JavaRegex, RegexSyntaxError } from "../api/java-regex.ts";
import type { WorkerConfig } from "../config.ts";
import { badRequest } from "../herder/errors.ts";
import { connectorClasses, findPlugin, pluginNames, type PluginNames } from "./catalog.ts";
import { overrideInfos } from "./client-overrides.ts";
import {
  type ConfigInfo,
  type ConfigInfos,
  type ConfigKeyInfo,
  findingsOf,
  groupsOf,
  keyInfo,
  unprefixed,
  valueInfo,
} from "./config-infos.ts";
import { connectorKeys, SINK_KEYS, SOURCE_KEYS } from "./connector-keys.ts";
import { chainDefinitions, fullClassNames } from "./plugin-chains.ts";
import { maskValue } from "../worker/secrets.ts";
import { versionRefusal } from "./plugin-version.ts";

export interface ValidationOptions {
  readonly worker: WorkerConfig;
  /** Resolves `${provider:…}` references. */
  readonly resolve: (config: RawConfig) => Promise<RawConfig>;
}
type Findings = Map<string, ConfigFinding>;

/** Throws RestError(400) where there is nothing to validate against. */
export async function validateConnector(posted: RawConfig, options: ValidationOptions): Promise<ConfigInfos> {
  const config = await options.resolve(posted);
  const className = config["connector.class"];
  if (className === undefined || className === null) throw badRequest(`Connector config ${javaMap(config)} contains no connector type`);
  const loading = connectorClasses.loadConnector(className);
  if (loading === null) throw badRequest(connectorClasses.notFound(className));
  const [plugin, names] = await Promise.all([loading, pluginNames()]);

  const def: ConfigDef = [
    ...connectorKeys({ names, connectorVersion: plugin.version, worker: options.worker }),
    ...(plugin.kind === "source" ? SOURCE_KEYS : SINK_KEYS),
    ...chainDefinitions(config, names),
  ];
  const findings = findingsOf(def, config);
  if (plugin.kind === "source") checkExactlyOnce(plugin, config, options.worker, findings);
  else checkSinkTopics(config, options.worker, findings);
  for (const [name, value] of Object.entries(config)) {
    if (value === null) addError(findings, name, "Null value can not be supplied as the configuration value.");
  }
  for (const finding of await pluginFindings(plugin, config)) findings.set(finding.name, finding);
  checkVersions(plugin, config, names, findings);

  fullClassNames(config, names, findings);
  const infos = assembled([...def, ...plugin.config], findings);
  infos.push(...overrideInfos(config, clientsOf(plugin, config, options.worker), options.worker.overridePolicy));
  for (const setting of ["key.converter", "value.converter", "header.converter"])
    infos.push(...converterInfos(setting, config, findings, names));
  const errors = infos.reduce((sum, info) => sum + info.value.errors.length, 0);
  return { name: className, error_count: errors, groups: groupsOf([...def, ...plugin.config]), configs: infos };
}

/** Kafka's sentence for a refused configuration; null: it is fine. */
export function refusal(infos: ConfigInfos): string | null {
  if (infos.error_count === 0) return null;
  const errors = infos.configs.flatMap((c) => c.value.errors).join("\n");
  return (
    `Connector configuration is invalid and contains the following ${infos.error_count} error(s):\n${errors}\n` +
    "You can also find the above list of errors at the endpoint `/connector-plugins/{connectorType}/config/validate`"
  );
}

/** All definitions of a plugin, a connector's with the runtime's settings behind its own. Null: unknown plugin. */
export async function pluginDefinitions(name: string, version: string | null = null): Promise<readonly ConfigKeyInfo[] | null> {
  const found = await findPlugin(name);
  if (found === null) return null;
  const refused = versionRefusal(found.className, found.version, version);
  if (refused !== null) throw badRequest(refused);
  const def = found.config.filter((k) => k.internal !== true);
  if (found.type !== "source" && found.type !== "sink") return def.map((k) => keyInfo(k));
  const own = new Set(def.map((k) => k.name));
  const base = [
    ...connectorKeys({ names: await pluginNames(), connectorVersion: found.version, worker: null }),
    ...(found.type === "source" ? SOURCE_KEYS : SINK_KEYS),
  ];
  return [...def, ...base.filter((k) => !own.has(k.name))].map((k) => keyInfo(k));
}

/** The connector's own declaration, and what it finds when it looks deeper. */
async function pluginFindings(plugin: ConnectorPlugin, config: RawConfig): Promise<readonly ConfigFinding[]> {
  const declared = validateConfig(plugin.config, config).map((finding) => ownWording(plugin, config, finding));
  if (plugin.validate === undefined) return declared;
  const byName = new Map(declared.map((f) => [f.name, f]));
  for (const finding of await plugin.validate(config, declared)) byName.set(finding.name, ownWording(plugin, config, finding));
  return [...byName.values()];
}
/** Debezium's settings: only the connector's own sentences, also for values of the wrong type, and never the value. */
function ownWording(plugin: ConnectorPlugin, config: RawConfig, finding: ConfigFinding): ConfigFinding {
  const key = plugin.config.find((k) => k.name === finding.name);
  if (key?.validate === undefined) return finding;
  const unreadable = finding.value === null && finding.errors.length > 0;
  const errors = unreadable ? key.validate(config[finding.name] ?? null, config) : finding.errors;
  return { ...finding, value: null, errors: errors.length > 0 ? errors : finding.errors };
}
/** Findings without a definition come first, then all definitions in order; a name declared twice counts once, the later one. */
function assembled(def: ConfigDef, findings: Findings): ConfigInfo[] {
  const keys = new Map(def.filter((k) => k.internal !== true).map((k) => [k.name, k]));
  const infos: ConfigInfo[] = [];
  for (const [name, finding] of findings) if (!keys.has(name)) infos.push({ definition: null, value: valueInfo(finding, null) });
  for (const [name, key] of keys) {
    const finding = findings.get(name);
    if (finding !== undefined) infos.push({ definition: keyInfo(key), value: valueInfo(finding, key.type) });
  }
  return infos;
}
function addError(findings: Findings, name: string, message: string): void {
  const finding = findings.get(name) ?? { name, value: null, recommendedValues: [], errors: [], visible: true };
  findings.set(name, { ...finding, errors: [...finding.errors, message] });
}

const NOT_DECLARED =
  "The connector does not implement the API required for preflight validation of exactly-once source support. Please consult the " +
  "documentation for the connector to determine whether it supports exactly-once semantics, and then consider reconfiguring the connector " +
  'to use the value "requested" for this property (which will disable this preflight check and allow the connector to be created).';

/** A version that is not there is the fault of the class and of the version, as Kafka Connect counts. */
function checkVersions(plugin: ConnectorPlugin, config: RawConfig, names: PluginNames, findings: Findings): void {
  const check = (setting: string, versionSetting: string, found: { classes: readonly string[]; version: string } | null): void => {
    const refused = found === null ? null : versionRefusal(found.classes[0] ?? "", found.version, config[versionSetting]);
    if (refused === null) return;
    addError(findings, setting, refused);
    addError(findings, versionSetting, refused);
  };
  check("connector.class", "connector.plugin.version", plugin);
  const named = (setting: string): string => config[setting] ?? "";
  for (const setting of ["key.converter", "value.converter"])
    check(setting, `${setting}.plugin.version`, names.converters.find(named(setting)));
  check("header.converter", "header.converter.plugin.version", names.headerConverters.find(named("header.converter")));
  for (const setting of Object.keys(config)) {
    const prefix = /^(?:transforms|predicates)\.[^.]+\.(?=type$)/.exec(setting)?.[0];
    if (prefix === undefined) continue;
    const chain = prefix.startsWith("transforms") ? names.transforms : names.predicates;
    check(setting, `${prefix}plugin.version`, chain.find(named(setting)));
  }
}

function checkExactlyOnce(plugin: SourceConnectorPlugin, config: RawConfig, worker: WorkerConfig, findings: Findings): void {
  if (config["exactly.once.support"]?.toLowerCase() === "required") {
    if (worker.exactlyOnceSource !== "enabled")
      addError(findings, "exactly.once.support", "This worker does not have exactly-once source support enabled.");
    const support = typeof plugin.exactlyOnce === "function" ? plugin.exactlyOnce(config) : plugin.exactlyOnce;
    if (support === undefined) addError(findings, "exactly.once.support", NOT_DECLARED);
    else if (support === "unsupported") {
      addError(findings, "exactly.once.support", "The connector does not support exactly-once semantics with the provided configuration.");
    }
  }
  if (config["transaction.boundary"]?.toLowerCase() === "connector" && plugin.ownsTransactions !== true) {
    addError(
      findings,
      "transaction.boundary",
      "The connector does not support connector-defined transaction boundaries with the given configuration. " +
        "Please reconfigure it to use a different transaction boundary definition.",
    );
  }
}

function checkSinkTopics(config: RawConfig, worker: WorkerConfig, findings: Findings): void {
  const topics = (config["topics"] ?? "").trim();
  const regex = (config["topics.regex"] ?? "").trim();
  const dlq = (config["errors.deadletterqueue.topic.name"] ?? "").trim();
  const both = (message: string): void => {
    addError(findings, "topics", message);
    addError(findings, "topics.regex", message);
  };
  if (topics !== "" && regex !== "") both("topics and topics.regex are mutually exclusive options, but both are set.");
  if (topics === "" && regex === "") both("Must configure one of topics or topics.regex");
  const list = parseConfigValue("topics", "LIST", topics);
  if (dlq !== "" && Array.isArray(list) && list.includes(dlq)) {
    const message = `The DLQ topic '${dlq}' may not be included in the list of topics ('topics=[${list.join(", ")}]') consumed by the connector`;
    addError(findings, "topics", message);
  }
  if (dlq !== "" && regex !== "" && matches(regex, dlq)) {
    const message = `The DLQ topic '${dlq}' may not be matched by the regex for the topics ('topics.regex=${regex}') consumed by the connector`;
    addError(findings, "topics.regex", message);
  }
  const group = config["consumer.override.group.id"] ?? `connect-${config["name"] ?? ""}`;
  if (worker.mode === "distributed" && group === worker.groupId) {
    addError(findings, "name", `Consumer group ${group} conflicts with Connect worker group ${worker.groupId}`);
  }
}
function matches(regex: string, text: string): boolean {
  try {
    return new JavaRegex(regex).matches(text);
  } catch (error) {
    if (error instanceof RegexSyntaxError) return false;
    throw error;
  }
}

/** Kafka clients that the connector will have. */
function clientsOf(plugin: ConnectorPlugin, config: RawConfig, worker: WorkerConfig): ("producer" | "consumer" | "admin")[] {
  const dlq = (config["errors.deadletterqueue.topic.name"] ?? "") !== "";
  if (plugin.kind === "sink") return dlq ? ["producer", "admin", "consumer"] : ["consumer"];
  return worker.topicCreation ? ["producer", "admin"] : ["producer"];
}

/** Settings of a converter that the connector names itself. */
function converterInfos(setting: string, config: RawConfig, findings: Findings, names: PluginNames): ConfigInfo[] {
  const className = config[setting];
  if (className === undefined || className === null || (findings.get(setting)?.errors.length ?? 0) > 0) return [];
  const plugin = setting === "header.converter" ? names.headerConverters.find(className) : names.converters.find(className);
  if (plugin === null) return [];
  const prefix = `${setting}.`;
  const type = setting.slice(0, setting.indexOf("."));
  const found = findingsOf(plugin.config, { ...unprefixed(config, prefix), "converter.type": type });
  // `value.converter.plugin.version` belongs to the runtime.
  return plugin.config.flatMap((key) => {
    const finding = found.get(key.name);
    return finding === undefined ? [] : [{ definition: keyInfo(key, prefix), value: valueInfo(finding, key.type, prefix) }];
  });
}
const NOTHING_DECLARED: ReadonlySet<string> = new Set();
/** As Java prints a map, but for its secrets. */
const javaMap = (config: RawConfig): string =>
  `{${inHashMapOrder(Object.entries(config), true)
    .map(([k, v]) => `${k}=${v === null ? "null" : maskValue(k, v, NOTHING_DECLARED)}`)
    .join(", ")}}`;

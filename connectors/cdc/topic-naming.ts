/**
 * Names of topics: `<prefix><delimiter><schema><delimiter><table>` and the connector's own ones. `topic.naming.strategy` says more:
 * Default… names have no schema where the database is not part of names either (PostgreSQL), Schema… names no database where there are
 * no schemas (MySQL; without the setting they have it), …Unicode… write characters that Kafka refuses as `_uXXXX`, …Regex… send tables
 * to the topics that `topic.regex` and `topic.replacement` make of these names.
 */
import { ConfigError } from "#connect/api/errors";
import { JavaRegex } from "#connect/api/java-regex";
import type { Settings } from "./settings.ts";

/** Characters that Kafka refuses become underscores. */
export const topicName = (name: string): string => (name === "." || name === ".." ? "_" : name.replace(/[^a-zA-Z0-9._-]/g, "_"));

export interface TopicNaming {
  readonly prefix: string;
  data(schema: string, table: string): string;
  /** A field that tells the tables of one topic apart in keys, also in those of tables that have none; null: none is added. */
  keyField(schema: string, table: string): { readonly name: string; readonly value: string } | null;
  readonly transaction: string;
  readonly heartbeat: string;
  readonly message: string;
}

const unicodeName = (name: string): string => name.replace(/[^a-zA-Z0-9.-]/g, (c) => `_u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
export const NAMING_STRATEGIES: readonly string[] = ["", "Unicode", "Regex"].flatMap((kind) =>
  ["Schema", "Default"].map((base) => `io.debezium.schema.${base}${kind}TopicNamingStrategy`),
);

/** `route`: the topic for a table's own one. `ofTopic`: what tells that table apart in keys. */
function routing(settings: Settings): { readonly route: (topic: string) => string; readonly ofTopic: (topic: string) => string } {
  const needed = (name: string): string => {
    const value = settings.optional(name);
    if (value === null || value === "") throw new ConfigError(`The '${name}' value is invalid: A value is required`);
    return value;
  };
  const compiled = (name: string, expression: string): JavaRegex => {
    try {
      return new JavaRegex(expression);
    } catch (cause) {
      throw new ConfigError(`The '${name}' value is invalid: A regular expression is required, but '${expression}' is not valid`, cause);
    }
  };
  const regex = compiled("topic.regex", needed("topic.regex")),
    replacement = needed("topic.replacement");
  const keyExpression = settings.optional("topic.key.field.regex"),
    keyReplacement = settings.optional("topic.key.field.replacement");
  const keyRegex = keyExpression === null || keyReplacement === null ? null : compiled("topic.key.field.regex", keyExpression);
  return {
    route: (topic) => regex.replaceWhole(topic, replacement) || topic,
    ofTopic: (topic) => keyRegex?.replaceWhole(topic, keyReplacement ?? "") ?? topic,
  };
}

/** `leftOut`: which of the two kinds of strategies, where one is asked for, makes names of the prefix and the table alone. */
export function topicNaming(settings: Settings, leftOut: "Default" | "Schema" | null = null): TopicNaming {
  const strategy = settings.string("topic.naming.strategy");
  const clean = strategy.includes("Unicode") ? unicodeName : topicName;
  const routes = strategy.includes("Regex") ? routing(settings) : null;
  const asked = settings.isGiven("topic.naming.strategy");
  const dropsSchema = asked && leftOut !== null && strategy.includes(`.${leftOut}`);
  const raw = (schema: string, table: string): string => [prefix, ...(dropsSchema ? [] : [schema]), table].join(delimiter);
  const keyName = settings.bool("topic.key.enforce.uniqueness") ? settings.string("topic.key.field.name") : null;
  const prefix = settings.string("topic.prefix");
  const delimiter = settings.optional("topic.delimiter") ?? ".";
  const heartbeatPrefix = settings.optional("topic.heartbeat.prefix") ?? "__debezium-heartbeat";
  return {
    prefix,
    data: (schema, table) => (routes === null ? clean(raw(schema, table)) : topicName(routes.route(clean(raw(schema, table))))),
    keyField: (schema, table) =>
      routes === null || keyName === null ? null : { name: keyName, value: routes.ofTopic(raw(schema, table)) },
    transaction: topicName([prefix, settings.optional("topic.transaction") ?? "transaction"].join(delimiter)),
    heartbeat: topicName([heartbeatPrefix, prefix].join(delimiter)),
    message: topicName([prefix, "message"].join(delimiter)),
  };
}

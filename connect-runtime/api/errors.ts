/**
 * Errors that plugins throw. `javaClass` is the name that clients of Kafka Connect see in traces and DLQ headers; the
 * message is Kafka's own wording where it has one, because dashboards and people search for it.
 */
export type CauseClass = "transient" | "config" | "data" | "bug";

export class ConnectError extends Error {
  readonly javaClass: string;
  /** Decides on automatic restart: transient is tried again, config and data are not, bug is reported as ours. */
  readonly causeClass: CauseClass;
  constructor(message: string, options: { javaClass?: string; causeClass?: CauseClass; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.javaClass = options.javaClass ?? "org.apache.kafka.connect.errors.ConnectException";
    this.causeClass = options.causeClass ?? "bug";
  }
}
export class DataError extends ConnectError {
  constructor(message: string, cause?: unknown) {
    super(message, { javaClass: "org.apache.kafka.connect.errors.DataException", causeClass: "data", cause });
  }
}
export class SchemaBuilderError extends ConnectError {
  constructor(message: string) {
    super(message, { javaClass: "org.apache.kafka.connect.errors.SchemaBuilderException", causeClass: "data" });
  }
}
export class ConfigError extends ConnectError {
  constructor(message: string, cause?: unknown) {
    super(message, { javaClass: "org.apache.kafka.common.config.ConfigException", causeClass: "config", cause });
  }
}
/** The operation may succeed when tried again (sink put, source poll, converter). */
export class RetriableError extends ConnectError {
  constructor(message: string, cause?: unknown) {
    super(message, { javaClass: "org.apache.kafka.connect.errors.RetriableException", causeClass: "transient", cause });
  }
}

/** What plugins by others import as `millrace/api`. Parts can be had singly, as `millrace/api/record`. */
export * from "./byte-sink.ts";
export * from "./config.ts";
export * from "./config-checks.ts";
export * from "./config-parse.ts";
export * from "./connector.ts";
export * from "./errors.ts";
export * from "./logical.ts";
export * from "./plugin.ts";
export * from "./record.ts";
export * from "./schema.ts";
export * from "./struct.ts";
export * from "./struct-builder.ts";
export * from "./struct-plan.ts";
export * from "./value.ts";

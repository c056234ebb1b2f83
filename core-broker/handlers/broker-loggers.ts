/** Log levels as the settings of a resource BROKER_LOGGER (KIP-412): not in the metadata, gone with the process. */
import { isLogLevel, LOG_LEVELS, type LogLevels, ROOT_LOGGER } from "../base/log-levels.ts";
import { ConfigOperation, type ResourceChange } from "../controller/configs/alter.ts";
import { ConfigSource } from "../controller/configs/effective.ts";
import type { Refusal } from "../controller/topics.ts";
import { ErrorCode } from "../protocol/errors.ts";

const refuse = (errorCode: number, errorMessage: string): Refusal => ({ errorCode, errorMessage });

/** All or none of the resource's changes. */
export function alterLoggers(levels: LogLevels, nodeId: number, resource: ResourceChange, validateOnly: boolean): Refusal {
  const refusal = resourceRefusal(nodeId, resource) ?? changesRefusal(levels, resource);
  if (refusal !== null) return refusal;
  for (const { name, operation, value } of validateOnly ? [] : resource.changes) {
    levels.set(name, operation === ConfigOperation.SET && value !== null && isLogLevel(value) ? value : null);
  }
  return { errorCode: ErrorCode.NONE, errorMessage: null };
}
function resourceRefusal(nodeId: number, { resourceName, replace }: ResourceChange): Refusal | null {
  if (replace) {
    const why = "AlterConfigs is deprecated and does not support the resource type BROKER_LOGGER.";
    return refuse(ErrorCode.INVALID_REQUEST, why);
  }
  if (!/^-?\d+$/.test(resourceName)) {
    return refuse(ErrorCode.INVALID_REQUEST, `Node id must be an integer, but it is: ${resourceName}`);
  }
  if (resourceName === String(nodeId)) return null;
  return refuse(ErrorCode.INVALID_REQUEST, `Unexpected broker id, expected ${nodeId} but received ${resourceName}`);
}
function changesRefusal(levels: LogLevels, { changes }: ResourceChange): Refusal | null {
  for (const { name, operation, value } of changes) {
    if (operation === ConfigOperation.APPEND || operation === ConfigOperation.SUBTRACT) {
      const what = operation === ConfigOperation.APPEND ? "APPEND" : "SUBTRACT";
      return refuse(ErrorCode.INVALID_REQUEST, `${what} operation is not allowed for the BROKER_LOGGER resource`);
    }
    if (!levels.has(name)) return refuse(ErrorCode.INVALID_CONFIG, `Logger ${name} does not exist!`);
    if (operation === ConfigOperation.DELETE) {
      if (name === ROOT_LOGGER) return refuse(ErrorCode.INVALID_REQUEST, `Removing the log level of the ${name} logger is not allowed`);
    } else if (value === null || !isLogLevel(value)) {
      const why = `Cannot set the log level of ${name} to ${value} as it is not a supported log level. Valid log levels are ${[...LOG_LEVELS].sort().join(", ")}`;
      return refuse(ErrorCode.INVALID_CONFIG, why);
    }
  }
  return null;
}
export const describeLoggers = (levels: LogLevels) =>
  [...levels.all()].map(([name, value]) => ({
    name,
    value,
    readOnly: false,
    configSource: ConfigSource.DYNAMIC_BROKER_LOGGER,
    isSensitive: false,
    synonyms: [],
    configType: 0,
    documentation: "",
  }));

/** IncrementalAlterConfigs (44), versions 0-1: SET, DELETE, and APPEND and SUBTRACT for lists (KIP-339). */
import { incrementalAlterConfigs } from "../protocol/messages/incremental-alter-configs.ts";
import { alter } from "./config-changes.ts";
import type { HandlerDeps } from "./deps.ts";
import { type Handler, handler } from "./handler.ts";

export const incrementalAlterConfigsHandler = (deps: HandlerDeps): Handler =>
  handler(incrementalAlterConfigs, (context, request) => ({
    responses: alter(
      deps,
      context,
      request.resources.map(({ resourceType, resourceName, configs }) => ({
        resourceType,
        resourceName,
        changes: configs.map(({ name, value, configOperation }) => ({ name, value, operation: configOperation })),
        replace: false,
      })),
      request.validateOnly,
    ),
  }));

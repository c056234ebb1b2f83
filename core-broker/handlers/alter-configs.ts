/** AlterConfigs (33), versions 0-2: a resource's settings are replaced by those given. */
import { alterConfigs as api } from "../protocol/messages/alter-configs.ts";
import { ConfigOperation } from "../controller/configs/alter.ts";
import { alter } from "./config-changes.ts";
import type { HandlerDeps } from "./deps.ts";
import { type Handler, handler } from "./handler.ts";

export const alterConfigsHandler = (deps: HandlerDeps): Handler =>
  handler(api, (context, request) => ({
    responses: alter(
      deps,
      context,
      request.resources.map(({ resourceType, resourceName, configs }) => ({
        resourceType,
        resourceName,
        changes: configs.map(({ name, value }) => ({ name, value, operation: ConfigOperation.SET })),
        replace: true,
      })),
      request.validateOnly,
    ),
  }));

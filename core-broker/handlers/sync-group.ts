import type { Coordinators } from "../coordinator/types.ts";
import { syncGroup } from "../protocol/messages/sync-group.ts";
import { type Handler, handler } from "./handler.ts";

/** Answers when the leader's assignment is durable. v5+ must name protocol type and protocol. */
export const syncGroupHandler = (coordinators: Coordinators): Handler =>
  handler(syncGroup, (context, request) => coordinators.groups.syncGroup(context, request));

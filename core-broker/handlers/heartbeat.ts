import type { Coordinators } from "../coordinator/types.ts";
import { heartbeat } from "../protocol/messages/heartbeat.ts";
import { type Handler, handler } from "./handler.ts";

export const heartbeatHandler = (coordinators: Coordinators): Handler =>
  handler(heartbeat, (_context, request) => ({ errorCode: coordinators.groups.heartbeat(request) }));

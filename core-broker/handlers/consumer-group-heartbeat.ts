import type { Coordinators } from "../coordinator/types.ts";
import { consumerGroupHeartbeat } from "../protocol/messages/consumer-group-heartbeat.ts";
import { type Handler, handler } from "./handler.ts";

/** KIP-848. v1+ has regular expressions, and the client makes its own member id. */
export const consumerGroupHeartbeatHandler = ({ groups }: Coordinators): Handler =>
  handler(consumerGroupHeartbeat, (context, request) => groups.consumerHeartbeat(context, request));

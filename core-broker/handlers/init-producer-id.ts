import type { Coordinators } from "../coordinator/types.ts";
import { initProducerId } from "../protocol/messages/init-producer-id.ts";
import { type Handler, handler } from "./handler.ts";

/** Without a transactional id: a fresh producer id for an idempotent producer. */
export const initProducerIdHandler = (coordinators: Coordinators): Handler =>
  handler(initProducerId, ({ version }, request) => coordinators.transactions.initProducerId(request, version));

import type { Coordinators } from "../coordinator/types.ts";
import { initProducerId } from "../protocol/messages/init-producer-id.ts";
import { type Handler, handler } from "./handler.ts";
import { fencingCode } from "./producer-fencing.ts";

/** Without a transactional id: a fresh producer id. With one: ends its open transaction and bumps its epoch. */
export const initProducerIdHandler = (coordinators: Coordinators): Handler =>
  handler(initProducerId, async ({ version }, request) => {
    const answer = await coordinators.transactions.initProducerId(request);
    return { ...answer, errorCode: fencingCode(answer.errorCode ?? 0, version, 4) };
  });

import type { Coordinators } from "../coordinator/types.ts";
import { findCoordinator } from "../protocol/messages/find-coordinator.ts";
import { type Handler, handler } from "./handler.ts";

/** v4+ asks for many keys at once (KIP-699). */
export const findCoordinatorHandler = (coordinators: Coordinators): Handler =>
  handler(findCoordinator, async ({ version, listener }, request) => {
    if (version < 4) return coordinators.locate(request.keyType, request.key, listener);
    const found = await Promise.all(request.coordinatorKeys.map((key) => coordinators.locate(request.keyType, key, listener)));
    return { coordinators: found };
  });

import type { Coordinators } from "../coordinator/types.ts";
import { listGroups } from "../protocol/messages/list-groups.ts";
import { type Handler, handler } from "./handler.ts";

/** v4+ filters by state, v5+ by type. */
export const listGroupsHandler = (coordinators: Coordinators): Handler =>
  handler(listGroups, (_context, request) => coordinators.groups.list(request.statesFilter, request.typesFilter));

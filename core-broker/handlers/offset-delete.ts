import type { Coordinators } from "../coordinator/types.ts";
import { offsetDelete } from "../protocol/messages/offset-delete.ts";
import { type Handler, handler } from "./handler.ts";

export const offsetDeleteHandler = (coordinators: Coordinators): Handler =>
  handler(offsetDelete, (_context, request) => coordinators.groups.deleteOffsets(request.groupId, request.topics));

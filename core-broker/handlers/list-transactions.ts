import type { Coordinators } from "../coordinator/types.ts";
import { listTransactions } from "../protocol/messages/list-transactions.ts";
import { type Handler, handler } from "./handler.ts";

/** v1+ filters by duration, v2 by a pattern of the transactional id. */
export const listTransactionsHandler = ({ transactions }: Coordinators): Handler =>
  handler(listTransactions, (_context, request) => transactions.list(request));

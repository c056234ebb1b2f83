import type { Coordinators } from "../coordinator/types.ts";
import { describeTransactions } from "../protocol/messages/describe-transactions.ts";
import { type Handler, handler } from "./handler.ts";

export const describeTransactionsHandler = ({ transactions }: Coordinators): Handler =>
  handler(describeTransactions, (_context, request) => ({
    transactionStates: request.transactionalIds.map((id) => transactions.describe(id)),
  }));

import type { Coordinators } from "../coordinator/types.ts";
import { endTxn } from "../protocol/messages/end-txn.ts";
import { type Handler, handler } from "./handler.ts";
import { fencingCode } from "./producer-fencing.ts";

/** v5+ bumps the epoch with each transaction and answers the new one (KIP-890). */
export const endTxnHandler = ({ transactions }: Coordinators): Handler =>
  handler(endTxn, async ({ version }, request) => {
    const answer = await transactions.endTransaction(request, version >= 5);
    return { ...answer, errorCode: fencingCode(answer.errorCode ?? 0, version, 2) };
  });

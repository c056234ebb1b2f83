import type { Coordinators } from "../coordinator/types.ts";
import { codeOf } from "../coordinator/error-code.ts";
import { addOffsetsToTxn } from "../protocol/messages/add-offsets-to-txn.ts";
import { type Handler, handler } from "./handler.ts";
import { fencingCode } from "./producer-fencing.ts";

/** Adds the partition of __consumer_offsets that the group's offsets go to. */
export const addOffsetsToTxnHandler = ({ transactions }: Coordinators): Handler =>
  handler(addOffsetsToTxn, async ({ version }, request) => {
    try {
      const partition = await transactions.offsetsPartition(request.groupId);
      const code = await transactions.addPartitions(request.transactionalId, request, partition, 1);
      return { errorCode: fencingCode(code, version, 2) };
    } catch (error) {
      return { errorCode: codeOf(error) };
    }
  });

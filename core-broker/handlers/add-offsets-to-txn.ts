import { AclOperation } from "../controller/acls/acl-codes.ts";
import { mayOnGroup, mayOnTransactionalId } from "./authorization.ts";
import type { Coordinators } from "../coordinator/types.ts";
import { codeOf } from "../coordinator/error-code.ts";
import { addOffsetsToTxn } from "../protocol/messages/add-offsets-to-txn.ts";
import { ErrorCode } from "../protocol/errors.ts";
import { type Handler, handler } from "./handler.ts";
import { fencingCode } from "./producer-fencing.ts";

/** Adds the partition of __consumer_offsets that the group's offsets go to. */
export const addOffsetsToTxnHandler = ({ transactions }: Coordinators): Handler =>
  handler(addOffsetsToTxn, async (context, request) => {
    const { version } = context;
    if (!mayOnTransactionalId(context, AclOperation.WRITE, request.transactionalId)) {
      return { errorCode: ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED };
    }
    if (!mayOnGroup(context, AclOperation.READ, request.groupId)) return { errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED };
    try {
      const partition = await transactions.offsetsPartition(request.groupId);
      const code = await transactions.addPartitions(request.transactionalId, request, partition, 1);
      return { errorCode: fencingCode(code, version, 2) };
    } catch (error) {
      return { errorCode: codeOf(error) };
    }
  });

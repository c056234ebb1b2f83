/** The transaction coordinator. */
import { ErrorCode } from "../../protocol/errors.ts";
import type { InitProducerIdRequest, InitProducerIdResponse } from "../../protocol/messages/init-producer-id.ts";
import type { Encodable } from "../../protocol/schema.ts";
import { codeOf } from "../error-code.ts";
import type { CoordinatorDeps } from "../types.ts";
import { ProducerIds } from "./producer-ids.ts";

export class TransactionCoordinator {
  readonly deps: CoordinatorDeps;
  private readonly producerIds: ProducerIds;

  constructor(deps: CoordinatorDeps) {
    this.deps = deps;
    this.producerIds = new ProducerIds(deps.producerIds);
  }
  async initProducerId(request: InitProducerIdRequest, _version: number): Promise<Encodable<InitProducerIdResponse>> {
    if (request.transactionalId !== null) return { errorCode: ErrorCode.INVALID_REQUEST };
    try {
      return { errorCode: ErrorCode.NONE, producerId: await this.producerIds.next(), producerEpoch: 0 };
    } catch (error) {
      return { errorCode: codeOf(error) };
    }
  }
}

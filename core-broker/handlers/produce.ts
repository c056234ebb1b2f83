/**
 * Produce (0), versions 3-13. Each partition succeeds or fails for itself; one batch per partition, magic 2. acks=0 has no
 * answer: a failure then closes the connection, which is the only way to tell. From version 12 on a transactional write
 * makes its partitions part of the transaction (KIP-890); from 13 on topics are named by id only.
 */
import { AclOperation } from "../controller/acls/acl-codes.ts";
import { mayOnTopic, mayOnTransactionalId } from "./authorization.ts";
import { ErrorCode, errorName, KafkaError, ProtocolError } from "../protocol/errors.ts";
import { produce, type ProduceRequest, type ProduceResponse } from "../protocol/messages/produce.ts";
import { compressionOf, isTransactional, isTransactionalBatch, readBatchHeader } from "../protocol/records/batch.ts";
import { isInternalTopic } from "../controller/topic-name.ts";
import type { Acks, Partition, RecordError } from "../replication/types.ts";
import type { WriteAdmission } from "../coordinator/transaction/write-admission.ts";
import { absent } from "./absent-partition.ts";
import type { HandlerDeps } from "./deps.ts";
import { failureOf } from "./failure.ts";
import { type Handler, handler, type RequestContext } from "./handler.ts";

type TopicData = ProduceRequest["topicData"][number];
type PartitionData = TopicData["partitionData"][number];
type TopicResponse = ProduceResponse["responses"][number];
type PartitionResponse = TopicResponse["partitionResponses"][number];

/** Admin tools repair state topics under this client id. */
const ADMIN_CLIENT_ID = "__admin_client";
const IMPLICIT_JOIN_SINCE = 12;
const ZSTD_SINCE = 7;
const NO_RECORD_ERRORS: never[] = [];

export function produceHandler(deps: HandlerDeps): Handler {
  return handler(produce, (context, request) => {
    if (!mayWriteInTransaction(context, request)) {
      return answer(request, refuseAll(request, ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED));
    }
    const admission = transactionalWrite(deps, context, request);
    if (admission === null) return answer(request, appendAll(deps, context, request, null));
    return admission.then((admitted) => answer(request, appendAll(deps, context, request, admitted)));
  });
}
/** A transactional batch needs a transactional id, and the right to write with it. */
function mayWriteInTransaction(context: RequestContext, { transactionalId, topicData }: ProduceRequest): boolean {
  const isPart = ({ records }: PartitionData): boolean => records !== null && isTransactionalBatch(records);
  if (!topicData.some(({ partitionData }) => partitionData.some(isPart))) return true;
  return transactionalId !== null && mayOnTransactionalId(context, AclOperation.WRITE, transactionalId);
}
const refuseAll = (request: ProduceRequest, errorCode: number): TopicResponse[] =>
  request.topicData.map(({ name, topicId, partitionData }) => ({
    name,
    topicId,
    partitionResponses: partitionData.map(({ index }) => refused(index, errorCode)),
  }));
function answer(request: ProduceRequest, responses: TopicResponse[]): { responses: TopicResponse[] } | null {
  if (request.acks !== 0) return { responses };
  for (const { partitionResponses } of responses) {
    const failed = partitionResponses.find(({ errorCode }) => errorCode !== ErrorCode.NONE);
    if (failed !== undefined) throw new ProtocolError(`produce with acks=0 failed: ${errorName(failed.errorCode)}`);
  }
  return null;
}

/** Null: nothing to ask the transaction coordinator. It may add the partitions to the transaction before it says who may write. */
function transactionalWrite(deps: HandlerDeps, context: RequestContext, request: ProduceRequest): Promise<WriteAdmission> | null {
  if (request.transactionalId === null) return null;
  const topics: { name: string; partitions: number[] }[] = [];
  let producerId = -1;
  let producerEpoch = -1;
  let asked = false;
  for (const topic of request.topicData) {
    const name = nameOf(deps, context, topic);
    if (name !== null && !mayOnTopic(context, AclOperation.WRITE, name)) continue;
    const partitions: number[] = [];
    for (const { index, records } of topic.partitionData) {
      const header = records === null ? null : readBatchHeader(bufferOf(records));
      if (name === null || header === null || !isTransactional(header.attributes)) continue;
      producerId = header.producerId;
      producerEpoch = header.producerEpoch;
      const partition = deps.logs.get(name, index);
      if (partition === undefined) continue;
      partitions.push(index);
      asked ||= !partition.hasOngoingTransaction(producerId, producerEpoch);
    }
    if (name !== null && partitions.length > 0) topics.push({ name, partitions });
  }
  if (!asked) return null;
  const { transactionalId } = request;
  const joinsImplicitly = context.version >= IMPLICIT_JOIN_SINCE;
  return deps.admitWrite({ transactionalId, producerId, producerEpoch, joinsImplicitly, topics });
}

function appendAll(deps: HandlerDeps, context: RequestContext, request: ProduceRequest, admission: WriteAdmission | null): TopicResponse[] {
  const { acks } = request;
  return request.topicData.map((topic) => {
    const name = nameOf(deps, context, topic);
    const may = name === null || mayOnTopic(context, AclOperation.WRITE, name);
    const partitionResponses = topic.partitionData.map((data) => {
      if (!may) return refused(data.index, ErrorCode.TOPIC_AUTHORIZATION_FAILED);
      try {
        if (acks !== -1 && acks !== 0 && acks !== 1) throw new KafkaError(ErrorCode.INVALID_REQUIRED_ACKS);
        if (name === null) throw new KafkaError(ErrorCode.UNKNOWN_TOPIC_ID);
        return append(deps, context, name, data, acks, admission);
      } catch (error) {
        return failed(deps, data, error);
      }
    });
    return { name: name ?? topic.name, topicId: topic.topicId, partitionResponses };
  });
}
function append(
  deps: HandlerDeps,
  context: RequestContext,
  name: string,
  data: PartitionData,
  acks: Acks,
  admission: WriteAdmission | null,
): PartitionResponse {
  if (isInternalTopic(name) && context.clientId !== ADMIN_CLIENT_ID) {
    throw new KafkaError(ErrorCode.INVALID_TOPIC_EXCEPTION, `Cannot append to internal topic ${name}`);
  }
  const partition = deps.logs.get(name, data.index);
  if (partition === undefined) throw absent(deps, name, data.index);
  const records = oneBatch(context.version, data.records);
  if (admission !== null) checkAdmitted(partition, records, admission);
  if (acks === -1 && deps.effective.minInsyncReplicas(name) > 1) {
    const why = `The size of the current ISR : 1 is insufficient to satisfy the min.isr requirement of ${deps.effective.minInsyncReplicas(name)} for partition ${name}-${data.index}`;
    throw new KafkaError(ErrorCode.NOT_ENOUGH_REPLICAS, why);
  }
  const appended = partition.append(records, { acks, origin: "client" });
  return {
    index: data.index,
    errorCode: ErrorCode.NONE,
    baseOffset: appended.baseOffset,
    logAppendTimeMs: appended.logAppendTimeMs,
    logStartOffset: appended.logStartOffset,
    recordErrors: NO_RECORD_ERRORS,
    errorMessage: null,
    currentLeader: NO_LEADER,
  };
}
const NO_LEADER = { leaderId: -1, leaderEpoch: -1 };

function checkAdmitted(partition: Partition, records: Buffer, admission: WriteAdmission): void {
  const header = readBatchHeader(records);
  if (header === null || !isTransactional(header.attributes)) return;
  if (partition.hasOngoingTransaction(header.producerId, header.producerEpoch)) return;
  const code = admission(partition.topic, partition.partition);
  if (code !== ErrorCode.NONE) throw new KafkaError(code);
}
/** The rules of produce requests, beside those of the log. */
function oneBatch(version: number, records: Uint8Array | null): Buffer {
  const invalid = (why: string): KafkaError => new KafkaError(ErrorCode.INVALID_RECORD, `Produce requests with version ${version} ${why}`);
  if (records === null || records.length === 0) throw invalid("must have at least one record batch per partition");
  const buffer = bufferOf(records);
  const header = readBatchHeader(buffer);
  if (buffer.length > 16 && buffer[16] !== 2) throw invalid("are only allowed to contain record batches with magic version 2");
  if (header === null || header.sizeInBytes > buffer.length) throw new KafkaError(ErrorCode.CORRUPT_MESSAGE);
  if (header.sizeInBytes < buffer.length) throw invalid("are only allowed to contain exactly one record batch per partition");
  if (version < ZSTD_SINCE && compressionOf(header.attributes) === "zstd") {
    throw new KafkaError(
      ErrorCode.UNSUPPORTED_COMPRESSION_TYPE,
      `Produce requests with version ${version} are not allowed to use ZStandard compression`,
    );
  }
  return buffer;
}
function failed(deps: HandlerDeps, data: PartitionData, error: unknown): PartitionResponse {
  const { index } = data;
  const { errorCode, errorMessage } = failureOf(error, deps.logger);
  deps.refusals.failedAppends++;
  if (errorCode === ErrorCode.MESSAGE_TOO_LARGE || errorCode === ErrorCode.RECORD_LIST_TOO_LARGE) {
    deps.refusals.rejectedBytes += data.records?.length ?? 0;
  }
  const recordErrors = recordErrorsOf(error).map(({ batchIndex, message }) => ({ batchIndex, batchIndexErrorMessage: message }));
  return { ...refused(index, errorCode), recordErrors, errorMessage };
}
const refused = (index: number, errorCode: number): PartitionResponse => ({
  index,
  errorCode,
  baseOffset: -1,
  logAppendTimeMs: -1,
  logStartOffset: -1,
  recordErrors: NO_RECORD_ERRORS,
  errorMessage: null,
  currentLeader: NO_LEADER,
});
function recordErrorsOf(error: unknown): readonly RecordError[] {
  // InvalidRecordsError of the log: a KafkaError that says which records are at fault.
  return error instanceof KafkaError && "recordErrors" in error ? (error.recordErrors as readonly RecordError[]) : [];
}
function nameOf(deps: HandlerDeps, context: RequestContext, topic: TopicData): string | null {
  return context.version < 13 ? topic.name : (deps.controller.image.topicsById.get(topic.topicId)?.name ?? null);
}
const bufferOf = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);

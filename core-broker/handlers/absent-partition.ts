/** Why a partition cannot be had here. */
import { ErrorCode, KafkaError } from "../protocol/errors.ts";
import type { HandlerDeps } from "./deps.ts";

/** It is not known, or its data folder failed. */
export const absent = ({ logs }: Pick<HandlerDeps, "logs">, topic: string, partition: number): KafkaError =>
  new KafkaError(logs.isOffline(topic, partition) ? ErrorCode.KAFKA_STORAGE_ERROR : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);

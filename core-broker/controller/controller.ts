/**
 * The metadata state machine: a command gives records and an answer, the records go to the log, and only then does replay
 * change the image and the listeners hear of it. Everything is synchronous, so commands are atomic towards each other.
 */
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import * as r from "../protocol/state/metadata-records.ts";
import { type MetadataImage, MutableImage, ResourceType, type TopicImage } from "./image.ts";
import { type MetadataLog, openMetadataLog } from "./metadata-log.ts";
import type { MetadataRecord } from "./metadata-record.ts";
import { replay } from "./replay.ts";
import { snapshotRecords } from "./snapshot.ts";
import type { CommandResult } from "./topics.ts";

/** What one command changed. */
export interface MetadataChange {
  readonly created: readonly TopicImage[];
  readonly deleted: readonly TopicImage[];
  /** Topics with more partitions than before; `from` is the first new one. */
  readonly grown: readonly { readonly topic: TopicImage; readonly from: number }[];
  /** Resources whose overrides changed (those of created and deleted topics not included). */
  readonly configs: readonly { readonly resourceType: number; readonly resourceName: string }[];
}
export interface ControllerOptions {
  readonly dataDirectory: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A log larger than this is replaced by a snapshot on open. */
  readonly compactAboveBytes?: number;
}
export interface OpenedController {
  readonly controller: Controller;
  /** Ids of topics that the log says are deleted: what of them is still on the disk can go. */
  readonly removedTopicIds: ReadonlySet<string>;
}

export class Controller {
  readonly #image: MutableImage;
  readonly #log: MetadataLog;
  readonly #clock: Clock;
  readonly #listeners: ((change: MetadataChange) => void)[] = [];
  constructor(image: MutableImage, log: MetadataLog, clock: Clock) {
    this.#image = image;
    this.#log = log;
    this.#clock = clock;
  }
  /** Always the current one; do not keep it over an await where consistency matters. */
  get image(): MetadataImage {
    return this.#image;
  }
  get logEndOffset(): number {
    return this.#log.endOffset;
  }
  onChange(listener: (change: MetadataChange) => void): void {
    this.#listeners.push(listener);
  }
  /** Durable and visible when this returns. Throws the system's error when the log cannot be written; nothing changed then. */
  commit<R>(result: CommandResult<R>): R {
    if (result.records.length === 0) return result.response;
    const base = this.#log.append(result.records, this.#clock.now());
    const before = topicsBefore(this.#image, result.records);
    for (const [index, record] of result.records.entries()) replay(this.#image, record, base + index);
    const change = changeOf(before, this.#image, result.records);
    for (const listener of this.#listeners) listener(change);
    return result.response;
  }
  close(): void {
    this.#log.close();
  }
}

const COMPACT_ABOVE_BYTES = 4 << 20;
/** Replays the log. Throws BrokerError(CORRUPT_DATA). */
export function openController(options: ControllerOptions): OpenedController {
  const image = new MutableImage();
  const removedTopicIds = new Set<string>();
  const { log, unknownRecords } = openMetadataLog(options.dataDirectory, (record, offset) => {
    if (record.type === r.removeTopicRecord) removedTopicIds.add((record.value as r.RemoveTopicRecord).topicId);
    replay(image, record, offset);
  });
  if (unknownRecords > 0) options.logger.warn("metadata log holds records of unknown types", { records: unknownRecords });
  else if (log.bytes > (options.compactAboveBytes ?? COMPACT_ABOVE_BYTES)) log.compact(snapshotRecords(image), options.clock.now());
  return { controller: new Controller(image, log, options.clock), removedTopicIds };
}

/** From the records, so that it costs what the command did, not what there is. */
function changeOf(before: TopicsBefore, image: MetadataImage, records: readonly MetadataRecord[]): MetadataChange {
  const created: TopicImage[] = [];
  const deleted: TopicImage[] = [];
  const grown: { topic: TopicImage; from: number }[] = [];
  const fresh = new Set<string>();
  for (const [id, old] of before) {
    const topic = image.topicsById.get(id);
    if (topic === undefined) {
      if (old !== undefined) deleted.push(old);
    } else if (old === undefined) {
      created.push(topic);
      fresh.add(topic.name);
    } else if (old.partitions.length < topic.partitions.length) grown.push({ topic, from: old.partitions.length });
  }
  const configs = new Map<string, { resourceType: number; resourceName: string }>();
  for (const record of records) {
    if (record.type !== r.configRecord) continue;
    const { resourceType, resourceName } = record.value as r.ConfigRecord;
    if (resourceType === ResourceType.TOPIC && fresh.has(resourceName)) continue;
    configs.set(`${resourceType}:${resourceName}`, { resourceType, resourceName });
  }
  return { created, deleted, grown, configs: [...configs.values()] };
}
/** The topics that the records name, by id, as they were before. */
type TopicsBefore = ReadonlyMap<string, TopicImage | undefined>;
function topicsBefore(image: MetadataImage, records: readonly MetadataRecord[]): TopicsBefore {
  const before = new Map<string, TopicImage | undefined>();
  for (const { type, value } of records) {
    if (type !== r.topicRecord && type !== r.partitionRecord && type !== r.partitionChangeRecord && type !== r.removeTopicRecord) continue;
    // All four have it.
    const { topicId } = value as { readonly topicId: string };
    before.set(topicId, image.topicsById.get(topicId));
  }
  return before;
}

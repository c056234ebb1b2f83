import type { SourceRecord } from "#connect/api/record";

/** A record that says nothing but its topic. */
export const emptyRecord = (topic: string): SourceRecord => ({
  topic,
  partition: null,
  keySchema: null,
  key: null,
  valueSchema: null,
  value: null,
  timestamp: null,
  headers: [],
  sourcePartition: {},
  sourceOffset: {},
});

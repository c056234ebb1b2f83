/** All transforms. */
import type { TransformPlugin } from "#connect/api/plugin";
import { byLogicalTableRouter } from "./by-logical-table-router.ts";
import { cast } from "./cast.ts";
import { collectionNameTransformation } from "./collection-name-transformation.ts";
import { contentBasedRouter } from "./content-based-router.ts";
import { decodeLogicalDecodingMessageContent } from "./decode-logical-decoding-message-content.ts";
import { dropHeaders } from "./drop-headers.ts";
import { eventRouter } from "./event-router.ts";
import { extractChangedRecordState } from "./extract-changed-record-state.ts";
import { extractField } from "./extract-field.ts";
import { extractNewRecordState } from "./extract-new-record-state.ts";
import { extractSchemaToNewRecord } from "./extract-schema-to-new-record.ts";
import { fieldNameTransformation } from "./field-name-transformation.ts";
import { filter } from "./filter.ts";
import { flatten } from "./flatten.ts";
import { headerFrom } from "./header-from.ts";
import { headerToValue } from "./header-to-value.ts";
import { hoistField } from "./hoist-field.ts";
import { insertField } from "./insert-field.ts";
import { insertHeader } from "./insert-header.ts";
import { maskField } from "./mask-field.ts";
import { partitionRouting } from "./partition-routing.ts";
import { readToInsertEvent } from "./read-to-insert-event.ts";
import { regexRouter } from "./regex-router.ts";
import { replaceField } from "./replace-field.ts";
import { schemaChangeEventFilter } from "./schema-change-event-filter.ts";
import { script } from "./script.ts";
import { scriptingFilter } from "./scripting-filter.ts";
import { setSchemaMetadata } from "./set-schema-metadata.ts";
import { timestampConverter } from "./timestamp-converter.ts";
import { timestampRouter } from "./timestamp-router.ts";
import { timezoneConverter } from "./timezone-converter.ts";
import { valueToKey } from "./value-to-key.ts";
import { vectorToJsonConverter } from "./vector-to-json-converter.ts";

export const transforms: readonly TransformPlugin[] = [
  byLogicalTableRouter,
  cast,
  collectionNameTransformation,
  contentBasedRouter,
  decodeLogicalDecodingMessageContent,
  dropHeaders,
  eventRouter,
  extractChangedRecordState,
  extractField,
  extractNewRecordState,
  extractSchemaToNewRecord,
  fieldNameTransformation,
  filter,
  flatten,
  headerFrom,
  headerToValue,
  hoistField,
  insertField,
  insertHeader,
  maskField,
  partitionRouting,
  readToInsertEvent,
  regexRouter,
  replaceField,
  schemaChangeEventFilter,
  script,
  scriptingFilter,
  setSchemaMetadata,
  timestampConverter,
  timestampRouter,
  timezoneConverter,
  valueToKey,
  vectorToJsonConverter,
];

/** All transforms. */
import type { TransformPlugin } from "#connect/api/plugin";
import { extractField } from "./extract-field.ts";
import { extractNewRecordState } from "./extract-new-record-state.ts";
import { insertField } from "./insert-field.ts";
import { regexRouter } from "./regex-router.ts";
import { replaceField } from "./replace-field.ts";
import { valueToKey } from "./value-to-key.ts";

export const transforms: readonly TransformPlugin[] = [
  regexRouter,
  insertField,
  extractField,
  replaceField,
  valueToKey,
  extractNewRecordState,
];

/** Records of the schema change topic: each table as a snapshot found it, or as a new capture instance has it. */
import { schemaChangeRecords } from "../cdc/table-change.ts";
import { SOURCE_SCHEMA } from "./source-info.ts";

export const schemaChangeRecord = schemaChangeRecords("sqlserver", SOURCE_SCHEMA);

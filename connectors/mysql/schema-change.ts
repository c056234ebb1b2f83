/** Records of the schema change topic: each DDL, and the tables as it left them. */
import { schemaChangeRecords } from "../cdc/table-change.ts";
import type { Flavor } from "./ddl/ddl.ts";
import { SOURCE_SCHEMAS } from "./source-info.ts";

export const schemaChangeRecord: Readonly<Record<Flavor, ReturnType<typeof schemaChangeRecords>>> = {
  mysql: schemaChangeRecords("mysql", SOURCE_SCHEMAS.mysql),
  mariadb: schemaChangeRecords("mariadb", SOURCE_SCHEMAS.mariadb),
};

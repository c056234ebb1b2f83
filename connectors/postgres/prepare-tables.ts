/** What the server has to have before it is read: replica identities, event triggers, the publication, as far as the settings ask for it. */
import type { Client } from "pg";
import { checkGuardrail } from "../cdc/declared-config.ts";
import { listTables } from "./catalog.ts";
import { identityRules } from "./config.ts";
import { prepareDdlEvents } from "./ddl-trigger.ts";
import { type AutocreateMode, preparePublication, setReplicaIdentities, type TableName } from "./publication.ts";
import type { TaskSettings } from "./task-settings.ts";

/** Throws SourceError with what to do where the user may not or the settings forbid it. */
export async function prepareTables(s: TaskSettings, client: Client, version: number, warn: (message: string) => void): Promise<void> {
  const captured = async (): Promise<readonly TableName[]> =>
    (await listTables(client)).filter((t) => s.plans.filters.table(t.schema, t.table));
  checkGuardrail(s.all, (await captured()).length, warn);
  const rules = identityRules(s.all);
  if (rules.length > 0) await setReplicaIdentities(client, rules, await captured());
  if (s.all.bool("millrace.ddl.events")) await prepareDdlEvents(client, version);
  const mode = s.all.choice("publication.autocreate.mode") as AutocreateMode;
  await preparePublication(client, s.all.string("publication.name"), mode, s.all.bool("publish.via.partition.root"), captured);
}

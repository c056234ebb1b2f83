/** Deep validation: the connector connects and says what is missing, with the statements that mend it. */
import type { Check } from "../api/diagnosis.ts";
import type { ConfigMap } from "../worker/types.ts";
import { inThread } from "./preview.ts";

/** `config` has its references resolved. Throws RestError(400). */
export async function runChecks(config: ConfigMap, worker: ConfigMap): Promise<readonly Check[]> {
  const checks = await inThread<readonly Check[] | null>({ kind: "diagnosis", config, ask: { method: "check" } }, worker);
  const message = `${config["connector.class"] ?? ""} has no checks of its own`;
  return checks ?? [{ check: "checks", ok: true, severity: "warning", message }];
}

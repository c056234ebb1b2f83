/** Which quota binds a client, and with whom it shares it: Kafka's order, the most specific entity first. */
import { type QuotaEntityPart, type QuotaImage, quotaKey } from "../controller/image.ts";

export const QUOTA_KEYS = {
  produce: "producer_byte_rate",
  fetch: "consumer_byte_rate",
  request: "request_percentage",
  mutation: "controller_mutation_rate",
} as const;
export type QuotaKind = keyof typeof QUOTA_KEYS;

export interface QuotaLimit {
  readonly bound: number;
  /** Clients with the same one count together. */
  readonly sharedBy: string;
}
const USER = "user";
const CLIENT = "client-id";
type Quotas = ReadonlyMap<string, QuotaImage>;

/** Null: no quota of this kind binds the client. */
export function limitOf(quotas: Quotas, kind: QuotaKind, user: string, clientId: string): QuotaLimit | null {
  const name = QUOTA_KEYS[kind];
  const find = (userName: string | null | undefined, clientName: string | null | undefined): number | undefined => {
    const entity: QuotaEntityPart[] = [];
    if (userName !== undefined) entity.push({ entityType: USER, entityName: userName });
    if (clientName !== undefined) entity.push({ entityType: CLIENT, entityName: clientName });
    return quotas.get(quotaKey(entity))?.values.get(name);
  };
  const both = JSON.stringify([kind, user, clientId]);
  const ofUser = JSON.stringify([kind, user]);
  const ofClient = JSON.stringify([kind, null, clientId]);
  const order: readonly (readonly [string | null | undefined, string | null | undefined, string])[] = [
    [user, clientId, both],
    [user, null, both],
    [user, undefined, ofUser],
    [null, clientId, both],
    [null, null, both],
    [null, undefined, ofUser],
    [undefined, clientId, ofClient],
    [undefined, null, ofClient],
  ];
  for (const [userName, clientName, sharedBy] of order) {
    const bound = find(userName, clientName);
    if (bound !== undefined) return { bound, sharedBy };
  }
  return null;
}
/** connection_creation_rate of an address, or the default one; null: none. */
export function connectionRateOf(quotas: Quotas, address: string): number | null {
  const of = (entityName: string | null): number | undefined =>
    quotas.get(quotaKey([{ entityType: "ip", entityName }]))?.values.get("connection_creation_rate");
  return of(address) ?? of(null) ?? null;
}

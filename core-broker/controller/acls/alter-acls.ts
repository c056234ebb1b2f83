/** Commands on ACLs: CreateAcls and DeleteAcls (KIP-140, prefixed patterns KIP-290), and the filters of all three ACL APIs. */
import { ErrorCode } from "../../protocol/errors.ts";
import { accessControlEntryRecord, removeAccessControlEntryRecord } from "../../protocol/state/metadata-records.ts";
import type { AclImage, MetadataImage } from "../image.ts";
import { metadataRecord, type MetadataRecord } from "../metadata-record.ts";
import type { CommandResult, Refusal } from "../topics.ts";
import { AclOperation, AclResource, CLUSTER_NAME, PatternType, Permission, WILDCARD } from "./acl-codes.ts";

export type Acl = Omit<AclImage, "id">;
/** Null, and the codes ANY, stand for everything. */
export interface AclFilter {
  readonly resourceTypeFilter: number;
  readonly resourceNameFilter: string | null;
  readonly patternTypeFilter: number;
  readonly principalFilter: string | null;
  readonly hostFilter: string | null;
  readonly operation: number;
  readonly permissionType: number;
}
const DONE: Refusal = { errorCode: ErrorCode.NONE, errorMessage: null };
const invalid = (errorMessage: string): Refusal => ({ errorCode: ErrorCode.INVALID_REQUEST, errorMessage });
const known = (table: Readonly<Record<string, number>>, code: number): boolean => Object.values(table).includes(code);
const FIELDS = ["resourceType", "resourceName", "patternType", "principal", "host", "operation", "permissionType"] as const;
const keyOf = (acl: Acl): string => JSON.stringify(FIELDS.map((field) => acl[field]));

/** One outcome per ACL. One that is there already succeeds and changes nothing. */
export function createAcls(
  image: Pick<MetadataImage, "acls">,
  acls: readonly Acl[],
  newId: () => string,
): CommandResult<readonly Refusal[]> {
  const records: MetadataRecord[] = [];
  const present = new Set([...image.acls.values()].map(keyOf));
  const response = acls.map((acl): Refusal => {
    const refusal = aclRefusal(acl);
    if (refusal !== null) return refusal;
    const key = keyOf(acl);
    if (!present.has(key)) records.push(metadataRecord(accessControlEntryRecord, { ...acl, id: newId() }));
    present.add(key);
    return DONE;
  });
  return { records, response };
}
function aclRefusal({ resourceType, resourceName, patternType, principal, operation, permissionType }: Acl): Refusal | null {
  if (resourceType === AclResource.CLUSTER && resourceName !== CLUSTER_NAME) {
    return invalid("The only valid name for the CLUSTER resource is kafka-cluster");
  }
  if (resourceName === "") return invalid("Invalid empty resource name");
  if (patternType !== PatternType.LITERAL && patternType !== PatternType.PREFIXED) return invalid(`Invalid patternType ${patternType}`);
  if (resourceType === AclResource.ANY || !known(AclResource, resourceType)) return invalid(`Invalid resourceType ${resourceType}`);
  if (permissionType !== Permission.DENY && permissionType !== Permission.ALLOW) return invalid(`Invalid permissionType ${permissionType}`);
  if (operation === AclOperation.ANY || !known(AclOperation, operation)) return invalid(`Invalid operation ${operation}`);
  if (!principal.includes(":")) {
    return invalid(
      `Could not parse principal from \`${principal}\` (no colon is present separating the principal type from the principal name)`,
    );
  }
  return null;
}

export interface DeleteOutcome extends Refusal {
  readonly matching: readonly AclImage[];
}
/** An ACL that several filters fit is told for each, and goes once. */
export function deleteAcls(image: Pick<MetadataImage, "acls">, filters: readonly AclFilter[]): CommandResult<readonly DeleteOutcome[]> {
  const gone = new Set<string>();
  const response = filters.map((filter): DeleteOutcome => {
    const refusal = filterRefusal(filter);
    if (refusal !== null) return { ...refusal, matching: [] };
    const matching = findAcls(image, filter);
    for (const { id } of matching) gone.add(id);
    return { ...DONE, matching };
  });
  return { records: [...gone].map((id) => metadataRecord(removeAccessControlEntryRecord, { id })), response };
}
/** Why a filter cannot be, or null. */
export function filterRefusal(filter: AclFilter): Refusal | null {
  if (!known(AclResource, filter.resourceTypeFilter) || !known(PatternType, filter.patternTypeFilter))
    return invalid("Unknown patternFilter.");
  if (!known(AclOperation, filter.operation) || !known(Permission, filter.permissionType)) return invalid("Unknown entryFilter.");
  return null;
}
export function findAcls(image: Pick<MetadataImage, "acls">, filter: AclFilter): readonly AclImage[] {
  const found: AclImage[] = [];
  for (const acl of image.acls.values()) if (matchesPattern(filter, acl) && matchesEntry(filter, acl)) found.push(acl);
  return found;
}
function matchesPattern({ resourceTypeFilter, resourceNameFilter, patternTypeFilter }: AclFilter, acl: Acl): boolean {
  if (resourceTypeFilter !== AclResource.ANY && resourceTypeFilter !== acl.resourceType) return false;
  const isMatch = patternTypeFilter === PatternType.MATCH;
  if (!isMatch && patternTypeFilter !== PatternType.ANY && patternTypeFilter !== acl.patternType) return false;
  if (resourceNameFilter === null || resourceNameFilter === acl.resourceName) return true;
  if (!isMatch) return false;
  return acl.patternType === PatternType.LITERAL ? acl.resourceName === WILDCARD : resourceNameFilter.startsWith(acl.resourceName);
}
function matchesEntry({ principalFilter, hostFilter, operation, permissionType }: AclFilter, acl: Acl): boolean {
  return (
    (principalFilter === null || principalFilter === acl.principal) &&
    (hostFilter === null || hostFilter === acl.host) &&
    (operation === AclOperation.ANY || operation === acl.operation) &&
    (permissionType === Permission.ANY || permissionType === acl.permissionType)
  );
}

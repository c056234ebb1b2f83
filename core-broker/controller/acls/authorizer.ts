/**
 * org.apache.kafka.metadata.authorizer.StandardAuthorizer (KIP-801): super users may everything; else a DENY that fits wins,
 * then an ALLOW; where no ACL at all names the resource, `allow.everyone.if.no.acl.found` decides.
 */
import type { Logger } from "../../base/logger.ts";
import type { AclImage, MetadataImage } from "../image.ts";
import { AclIndex } from "./acl-index.ts";
import { AclOperation, AclResource, codeName, PatternType, Permission, WILDCARD, WILDCARD_PRINCIPAL } from "./acl-codes.ts";
import { EVERY_RIGHT, type Rights } from "./rights.ts";

export interface AuthorizerOptions {
  /** As Type:Name, e.g. User:admin. */
  readonly superUsers: ReadonlySet<string>;
  readonly allowWithoutAcl: boolean;
  readonly image: () => Pick<MetadataImage, "acls" | "aclsVersion">;
  readonly logger: Logger;
}
interface Principal {
  readonly type: string;
  readonly name: string;
}
export type Authorizer = (principal: Principal, host: string) => Rights;

const { READ, WRITE, DELETE, ALTER, DESCRIBE, ALTER_CONFIGS, DESCRIBE_CONFIGS, ALL } = AclOperation;
/** An ALLOW of one of these allows the operation, too. */
const IMPLIED_BY: ReadonlyMap<number, readonly number[]> = new Map([
  [DESCRIBE, [READ, WRITE, DELETE, ALTER]],
  [DESCRIBE_CONFIGS, [ALTER_CONFIGS]],
]);
/** Decisions kept for one peer; beyond, they are forgotten and made again. */
const DECISIONS_MAX = 10_000;

export function standardAuthorizer(options: AuthorizerOptions): Authorizer {
  let index = new AclIndex([]);
  let version = -1;
  const current = (): AclIndex => {
    const { acls, aclsVersion } = options.image();
    if (aclsVersion !== version) {
      index = new AclIndex(acls.values());
      version = aclsVersion;
    }
    return index;
  };
  return (principal, host) => {
    const name = `${principal.type}:${principal.name}`;
    if (options.superUsers.has(name)) return EVERY_RIGHT;
    return new PeerRights({ ...options, principal: name, host, index: current });
  };
}

interface Peer extends AuthorizerOptions {
  readonly principal: string;
  readonly host: string;
  readonly index: () => AclIndex;
}
class PeerRights implements Rights {
  readonly unlimited = false;
  readonly #peer: Peer;
  /** By operation and resource type, then by name. */
  readonly #decisions = new Map<number, Map<string, boolean>>();
  #count = 0;
  #index: AclIndex | null = null;
  constructor(peer: Peer) {
    this.#peer = peer;
  }
  may(operation: number, resource: number, name: string, quiet = false): boolean {
    const index = this.#fresh();
    const key = operation * 16 + resource;
    const known = this.#decisions.get(key)?.get(name);
    if (known !== undefined) return known;
    const allowed = decide(index, this.#peer, operation, resource, name);
    this.#keep(key, name, allowed);
    if (!allowed && !quiet) this.#tell(operation, resource, name);
    return allowed;
  }
  maySomewhere(operation: number, resource: number): boolean {
    // A name that nobody uses: what everybody may, and `allow.everyone.if.no.acl.found`.
    return this.may(operation, resource, "hardcode", true) || allowedSomewhere(this.#fresh().ofType(resource), this.#peer, operation);
  }
  /** The ACLs as they are now; decisions made with others are forgotten. */
  #fresh(): AclIndex {
    const index = this.#peer.index();
    if (index !== this.#index || this.#count > DECISIONS_MAX) {
      this.#index = index;
      this.#decisions.clear();
      this.#count = 0;
    }
    return index;
  }
  #keep(key: number, name: string, allowed: boolean): void {
    let byName = this.#decisions.get(key);
    if (byName === undefined) this.#decisions.set(key, (byName = new Map()));
    byName.set(name, allowed);
    this.#count++;
  }
  /** Said once for each change of the ACLs, not for each request. */
  #tell(operation: number, resource: number, name: string): void {
    this.#peer.logger.info("access denied", {
      principal: this.#peer.principal,
      host: this.#peer.host,
      operation: codeName(AclOperation, operation),
      resource: `${codeName(AclResource, resource)}:${name}`,
    });
  }
}

const concernsPeer = (acl: AclImage, { principal, host }: Peer): boolean =>
  (acl.principal === principal || acl.principal === WILDCARD_PRINCIPAL) && (acl.host === WILDCARD || acl.host === host);

function decide(index: AclIndex, peer: Peer, operation: number, resource: number, name: string): boolean {
  let found = false;
  let allowed = false;
  for (const acl of index.concerning(resource, name)) {
    found = true;
    if (!concernsPeer(acl, peer)) continue;
    const same = acl.operation === ALL || acl.operation === operation;
    if (acl.permissionType === Permission.DENY) {
      if (same) return false;
    } else if (same || IMPLIED_BY.get(operation)?.includes(acl.operation) === true) allowed = true;
  }
  return found ? allowed : peer.allowWithoutAcl;
}

/** An allowed pattern counts unless a DENY covers all of it. Implied operations do not count here, as they do not in Kafka. */
function allowedSomewhere(acls: readonly AclImage[], peer: Peer, operation: number): boolean {
  const own = acls.filter((acl) => concernsPeer(acl, peer) && (acl.operation === operation || acl.operation === ALL));
  const denied = own.filter(({ permissionType }) => permissionType === Permission.DENY);
  const isLiteral = ({ patternType }: AclImage): boolean => patternType === PatternType.LITERAL;
  if (denied.some((acl) => isLiteral(acl) && acl.resourceName === WILDCARD)) return false;
  return own.some((acl) => {
    if (acl.permissionType !== Permission.ALLOW) return false;
    if (isLiteral(acl) && acl.resourceName === WILDCARD) return true;
    return !denied.some((deny) =>
      isLiteral(deny) ? isLiteral(acl) && deny.resourceName === acl.resourceName : acl.resourceName.startsWith(deny.resourceName),
    );
  });
}

/** ACLs ordered for look-ups: which of them concern one resource. Made anew when an ACL changes. */
import type { AclImage } from "../image.ts";
import { PatternType, WILDCARD } from "./acl-codes.ts";

interface OfType {
  readonly all: AclImage[];
  readonly literal: Map<string, AclImage[]>;
  readonly prefixed: Map<string, AclImage[]>;
  /** Lengths of the prefixes there are, so that a name costs one look-up for each of them. */
  readonly prefixLengths: Set<number>;
}
const put = (map: Map<string, AclImage[]>, acl: AclImage): void => {
  const known = map.get(acl.resourceName);
  if (known === undefined) map.set(acl.resourceName, [acl]);
  else known.push(acl);
};

export class AclIndex {
  readonly #byType = new Map<number, OfType>();
  constructor(acls: Iterable<AclImage>) {
    for (const acl of acls) {
      let of = this.#byType.get(acl.resourceType);
      if (of === undefined) {
        of = { all: [], literal: new Map(), prefixed: new Map(), prefixLengths: new Set() };
        this.#byType.set(acl.resourceType, of);
      }
      of.all.push(acl);
      if (acl.patternType === PatternType.PREFIXED) {
        put(of.prefixed, acl);
        of.prefixLengths.add(acl.resourceName.length);
      } else put(of.literal, acl);
    }
  }
  ofType(resourceType: number): readonly AclImage[] {
    return this.#byType.get(resourceType)?.all ?? [];
  }
  /** Literal ones with this name or `*`, and prefixed ones that the name starts with. */
  *concerning(resourceType: number, name: string): Generator<AclImage> {
    const of = this.#byType.get(resourceType);
    if (of === undefined) return;
    yield* of.literal.get(name) ?? [];
    if (name !== WILDCARD) yield* of.literal.get(WILDCARD) ?? [];
    for (const length of of.prefixLengths) {
      if (length <= name.length) yield* of.prefixed.get(name.slice(0, length)) ?? [];
    }
  }
}

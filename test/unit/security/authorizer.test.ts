import { describe, expect, test } from "vitest";
import { silentLogger } from "#broker/base/logger";
import { AclOperation, AclResource, PatternType, Permission } from "#broker/controller/acls/acl-codes";
import { type Acl, createAcls, deleteAcls, findAcls } from "#broker/controller/acls/alter-acls";
import { standardAuthorizer } from "#broker/controller/acls/authorizer";
import type { Rights } from "#broker/controller/acls/rights";
import type { AclImage } from "#broker/controller/image";
import { authorizerOf } from "#broker/security/authorizer";

const { READ, WRITE, DESCRIBE, ALL, ALTER_CONFIGS, DESCRIBE_CONFIGS } = AclOperation;
const { TOPIC } = AclResource;
const acl = (resourceName: string, operation: number, more: Partial<Acl> = {}): Acl => ({
  resourceType: TOPIC,
  resourceName,
  patternType: PatternType.LITERAL,
  principal: "User:alice",
  host: "*",
  operation,
  permissionType: Permission.ALLOW,
  ...more,
});
const prefixed = { patternType: PatternType.PREFIXED };
const deny = { permissionType: Permission.DENY };

class Acls {
  acls = new Map<string, AclImage>();
  aclsVersion = 0;
  constructor(...acls: readonly Acl[]) {
    this.put(...acls);
  }
  put(...acls: readonly Acl[]): void {
    for (const each of acls) this.acls.set(String(this.acls.size), { ...each, id: String(this.acls.size) });
    this.aclsVersion++;
  }
  of(name = "alice", host = "10.0.0.1", allowWithoutAcl = false): Rights {
    const superUsers = new Set(["User:root"]);
    return standardAuthorizer({ superUsers, allowWithoutAcl, image: () => this, logger: silentLogger })({ type: "User", name }, host);
  }
}

describe("who may what", () => {
  test("nothing without an ACL, everything for super users, and the other way round where everyone is allowed", () => {
    const acls = new Acls(acl("t", WRITE));
    expect(acls.of().may(READ, TOPIC, "other")).toBe(false);
    expect(acls.of("root").may(READ, TOPIC, "other")).toBe(true);
    expect(acls.of("bob", "h", true).may(READ, TOPIC, "other")).toBe(true);
    expect(acls.of("bob", "h", true).may(READ, TOPIC, "t")).toBe(false);
  });
  test("READ, WRITE, DELETE and ALTER imply DESCRIBE, ALTER_CONFIGS implies DESCRIBE_CONFIGS; a DENY implies nothing", () => {
    const acls = new Acls(acl("w", WRITE), acl("c", ALTER_CONFIGS), acl("d", READ, deny), acl("d", DESCRIBE));
    expect([acls.of().may(DESCRIBE, TOPIC, "w"), acls.of().may(READ, TOPIC, "w")]).toEqual([true, false]);
    expect([acls.of().may(DESCRIBE_CONFIGS, TOPIC, "c"), acls.of().may(DESCRIBE, TOPIC, "c")]).toEqual([true, false]);
    expect([acls.of().may(DESCRIBE, TOPIC, "d"), acls.of().may(READ, TOPIC, "d")]).toEqual([true, false]);
  });
  test("names, prefixes and the wildcard; a DENY wins wherever it stands", () => {
    const acls = new Acls(acl("pre", ALL, prefixed), acl("*", DESCRIBE), acl("pre-secret", ALL, { ...deny, principal: "User:*" }));
    const rights = acls.of();
    expect(["pre", "prefix", "pr", "pre-secret"].map((name) => rights.may(WRITE, TOPIC, name))).toEqual([true, true, false, false]);
    expect(["anything", "pre-secret"].map((name) => rights.may(DESCRIBE, TOPIC, name))).toEqual([true, false]);
  });
  test("the address counts", () => {
    const acls = new Acls(acl("t", READ, { host: "10.0.0.1" }));
    expect([acls.of("alice", "10.0.0.1").may(READ, TOPIC, "t"), acls.of("alice", "10.0.0.2").may(READ, TOPIC, "t")]).toEqual([true, false]);
  });
  test("a change of the ACLs is seen at once, also by who was told something else before", () => {
    const acls = new Acls();
    const rights = acls.of();
    expect(rights.may(READ, TOPIC, "t")).toBe(false);
    acls.put(acl("t", READ));
    expect(rights.may(READ, TOPIC, "t")).toBe(true);
    acls.put(acl("t", READ, deny));
    expect(rights.may(READ, TOPIC, "t")).toBe(false);
  });
  test("somewhere: any pattern that no DENY covers", () => {
    expect(new Acls(acl("t", WRITE)).of().maySomewhere(WRITE, TOPIC)).toBe(true);
    expect(new Acls(acl("t", READ)).of().maySomewhere(WRITE, TOPIC)).toBe(false);
    expect(new Acls(acl("t", WRITE), acl("t", WRITE, deny)).of().maySomewhere(WRITE, TOPIC)).toBe(false);
    expect(new Acls(acl("ta", WRITE, prefixed), acl("t", ALL, { ...deny, ...prefixed })).of().maySomewhere(WRITE, TOPIC)).toBe(false);
    expect(new Acls(acl("t", WRITE, prefixed), acl("ta", WRITE, { ...deny, ...prefixed })).of().maySomewhere(WRITE, TOPIC)).toBe(true);
    expect(new Acls(acl("t", WRITE), acl("*", WRITE, deny)).of().maySomewhere(WRITE, TOPIC)).toBe(false);
  });
});

describe("ACLs made and found", () => {
  const image = new Acls(acl("t", READ), acl("te", WRITE, prefixed), acl("*", DESCRIBE), acl("other", READ, { principal: "User:bob" }));
  const find = (name: string | null, patternTypeFilter: number): readonly string[] =>
    findAcls(image, {
      resourceTypeFilter: AclResource.ANY,
      resourceNameFilter: name,
      patternTypeFilter,
      principalFilter: null,
      hostFilter: null,
      operation: AclOperation.ANY,
      permissionType: Permission.ANY,
    }).map(({ resourceName }) => resourceName);
  test("filters: exactly, by kind of pattern, and all that concern a name", () => {
    expect(find("te", PatternType.ANY)).toEqual(["te"]);
    expect(find("te", PatternType.LITERAL)).toEqual([]);
    expect(find("test", PatternType.MATCH)).toEqual(["te", "*"]);
    expect(find("t", PatternType.MATCH)).toEqual(["t", "*"]);
    expect(find(null, PatternType.PREFIXED)).toEqual(["te"]);
  });
  test("one that is there already is no second one; one that cannot be is refused alone", () => {
    const wanted = [acl("t", READ), acl("new", READ), acl("new", READ), acl("", READ), acl("x", READ, { principal: "alice" })];
    const { records, response } = createAcls(image, wanted, () => "id");
    expect(records).toHaveLength(1);
    expect(response.map(({ errorCode }) => errorCode)).toEqual([0, 0, 0, 42, 42]);
  });
  test("deleted once, told for every filter", () => {
    const filter = {
      resourceTypeFilter: TOPIC,
      resourceNameFilter: "t",
      patternTypeFilter: PatternType.ANY,
      principalFilter: null,
      hostFilter: null,
      operation: AclOperation.ANY,
      permissionType: Permission.ANY,
    };
    const { records, response } = deleteAcls(image, [filter, filter, { ...filter, operation: 99 }]);
    expect([records.length, ...response.map(({ matching }) => matching.length)]).toEqual([1, 1, 1, 0]);
    expect(response[2]?.errorCode).toBe(42);
  });
});

test("an authorizer that is none of ours, and super users without a type, are refused by name", () => {
  const open = (properties: Record<string, string>) => authorizerOf(properties, () => new Acls() as never, silentLogger);
  expect(() => open({ "authorizer.class.name": "com.example.Mine" })).toThrow(/authorizer.class.name.*StandardAuthorizer/);
  const standard = { "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer" };
  expect(() => open({ ...standard, "super.users": "admin" })).toThrow(/super.users/);
  expect(open({})({ type: "User", name: "x" }, "h").unlimited).toBe(true);
});

/** Member ids of the classic protocol, and whether one may speak for its group. */
import type { Random } from "../../base/random.ts";
import { ErrorCode } from "../../protocol/errors.ts";
import type { ClassicGroup } from "./classic-group.ts";

/** `<client or instance id>-<random UUID>`, as Kafka's tools show them. */
export function newMemberId(prefix: string, random: Random): string {
  const b = Buffer.from(random.bytes(16));
  b[6] = ((b[6] ?? 0) & 0x0f) | 0x40;
  b[8] = ((b[8] ?? 0) & 0x3f) | 0x80;
  const hex = b.toString("hex");
  return `${prefix}-${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** NONE, UNKNOWN_MEMBER_ID, or FENCED_INSTANCE_ID when another member holds the instance id now (KIP-345). */
export function validateMember(group: ClassicGroup, memberId: string, instanceId: string | null): number {
  if (instanceId === null) return group.members.has(memberId) ? ErrorCode.NONE : ErrorCode.UNKNOWN_MEMBER_ID;
  const holder = group.staticMembers.get(instanceId);
  if (holder === undefined) return ErrorCode.UNKNOWN_MEMBER_ID;
  return holder === memberId ? ErrorCode.NONE : ErrorCode.FENCED_INSTANCE_ID;
}

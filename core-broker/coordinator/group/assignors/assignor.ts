/** What a server-side assignor sees and gives. Pure: the same input gives the same target. */
import type { Assignment } from "../assignment.ts";

export interface AssignorMember {
  readonly id: string;
  readonly instanceId: string | null;
  /** Topic ids that exist and that the member subscribes to. */
  readonly topics: ReadonlySet<string>;
  /** Its target so far: kept as far as balance allows. */
  readonly previous: Assignment;
}
export type Assignor = (members: readonly AssignorMember[], partitionsOf: (topicId: string) => number) => Map<string, Assignment>;

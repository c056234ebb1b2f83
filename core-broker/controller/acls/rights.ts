/**
 * What one peer (a principal at an address) may do: handlers ask, the authorizer answers. Without an authorizer it is
 * `EVERY_RIGHT`, one constant object whose answers cost a call.
 */
export interface Rights {
  /** Everything is allowed: lists need no filter. */
  readonly unlimited: boolean;
  /**
   * Codes of AclOperation and AclResource. `quiet`: a refusal is no event, because the answer only leaves something out.
   * The empty name is a resource like any other.
   */
  may(operation: number, resource: number, name: string, quiet?: boolean): boolean;
  /** The operation on some resource of this type, whichever (KIP-679: an idempotent producer needs WRITE on any topic). */
  maySomewhere(operation: number, resource: number): boolean;
}
export const EVERY_RIGHT: Rights = { unlimited: true, may: () => true, maySomewhere: () => true };

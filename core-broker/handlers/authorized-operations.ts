/** Bit fields of AclOperation codes (KIP-430). Without an authorizer everybody may do everything that the resource knows. */
const bits = (...operations: number[]): number => operations.reduce((field, operation) => field | (1 << operation), 0);

/** create, alter, describe, cluster action, describe configs, alter configs, idempotent write */
export const CLUSTER_OPERATIONS = bits(5, 7, 8, 9, 10, 11, 12);
/** read, write, create, delete, alter, describe, describe configs, alter configs */
export const TOPIC_OPERATIONS = bits(3, 4, 5, 6, 7, 8, 10, 11);
/** The field's value when it was not asked for. */
export const NOT_ASKED = -2147483648;
/** read, delete, describe, describe configs, alter configs */
export const GROUP_OPERATIONS = bits(3, 6, 8, 10, 11);

/** MariaDB's GTIDs: `domain-server-sequence`, one position per domain. */
export interface MariadbGtid {
  readonly domain: number;
  readonly server: number;
  readonly sequence: bigint;
}

/** MariaDB sends the statements of row events only when asked; the events that offsets count are then the reference's. */
import { expect, test } from "vitest";
import { dump } from "#connectors/mysql/replication-commands";

test("statements of row events are asked for only when they are wanted", () => {
  const start = { by: "position", file: "binlog.000001", position: 4 } as const;
  // Four bytes of the packet's head, the command, four bytes of position, then the flags.
  const flags = (packet: Buffer): number => packet.readUInt16LE(9);
  expect([dump(start, 7, true), dump(start, 7, true, true), dump(start, 7, false, true)].map(flags)).toEqual([0, 2, 0]);
});

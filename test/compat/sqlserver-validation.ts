/** What validation of a configuration says of the server, in the words of the reference. */
import { expect, test } from "vitest";
import { sqlserverSource } from "#connectors/sqlserver/index";
import { addressOf } from "./sqlserver-reading.ts";
import type { SuiteParts } from "./sqlserver-suite.ts";

export function validationTests({ on, item }: SuiteParts): void {
  test("validation says what the server says of database and login, and keeps to its time", async (t) => {
    const { peer, database } = await on(t);
    await item(peer, database);
    const validated = async (config: Readonly<Record<string, string>>): Promise<readonly string[]> => {
      const all = {
        ...addressOf(peer, database),
        ...config,
      };
      const findings = (await sqlserverSource.validate?.(all, [])) ?? [];
      return findings.flatMap((f) => f.errors.map((error) => `${f.name}: ${error}`));
    };
    const unable = "database.hostname: Unable to connect. Check this and other connection properties. Error: ";
    expect(await validated({})).toEqual([]);
    expect(await validated({ "database.names": "nodb" })).toEqual([
      `${unable}Cannot open database "nodb" requested by the login. The login failed.`,
    ]);
    expect(await validated({ "database.password": "wrong" })).toEqual([`${unable}Login failed for user '${peer.user}'.`]);
    expect(await validated({ "database.port": "99999" })).toEqual([`${unable}The port number 99999 is not valid.`]);
    expect(await validated({ "connection.validation.timeout.ms": "1" })).toEqual([
      "database.hostname: Connection validation timed out after 1 ms",
    ]);
  });
}

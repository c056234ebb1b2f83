/**
 * Starts the MySQL and MariaDB that the goldens run against, prints `mysql URL`, `mariadb URL` and `ready`, and stops them when it is
 * told to end. A server that cannot be had is named with its reason instead. An argument, `mysql` or `mariadb`: that one alone.
 */
import { startMariadb } from "../peers/mariadb.ts";
import { startMysql } from "../peers/mysql.ts";
import type { MysqlOrReason } from "../peers/mysql-server.ts";
import { freePort } from "../peers/ports.ts";

/** As the goldens were recorded; the checker logs in with a password. */
const ARGUMENTS = ["--default-time-zone=+00:00"];
const MARIADB = [
  ...ARGUMENTS,
  "--character-set-server=utf8mb4",
  "--collation-server=utf8mb4_general_ci",
  // MariaDB 11 has another default; servers that do not know the setting pass over it.
  "--loose-character-set-collations=utf8mb4=utf8mb4_general_ci",
  "--gtid-strict-mode=ON",
];
const PASSWORD = "golden";

async function opened(name: string, peer: MysqlOrReason): Promise<() => Promise<void>> {
  if ("reason" in peer) {
    console.log(`${name}: ${peer.reason}`);
    return () => Promise.resolve();
  }
  const sql = await peer.connect();
  await sql.query(`CREATE USER IF NOT EXISTS 'golden'@'127.0.0.1' IDENTIFIED BY '${PASSWORD}'`);
  await sql.query("GRANT ALL ON *.* TO 'golden'@'127.0.0.1' WITH GRANT OPTION");
  // An anonymous user of localhost would be taken before the checker's own.
  await sql.query("DROP USER IF EXISTS ''@'localhost'");
  console.log(`${name} mysql://golden:${PASSWORD}@${peer.host}:${peer.port}`);
  return () => peer.stop();
}
const wanted = process.argv[2];
const stops: (() => Promise<void>)[] = [];
if (wanted !== "mariadb") stops.push(await opened("mysql", await startMysql({ port: await freePort(), arguments: ARGUMENTS })));
if (wanted !== "mysql") stops.push(await opened("mariadb", await startMariadb({ port: await freePort(), arguments: MARIADB })));
console.log("ready");
const stay = setInterval(() => {}, 60_000);
for (const signal of ["SIGTERM", "SIGINT"] as const)
  process.once(signal, () => {
    clearInterval(stay);
    void Promise.all(stops.map((stop) => stop())).then(() => process.exit(0));
  });

/** TLS modes and logins of MySQL and MariaDB sources against real servers, with certificates made for the test. */
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connect } from "#connectors/mysql/connection";
import type { MysqlServer, SslMode } from "#connectors/mysql/server-settings";
import { keyStore, noOpenssl, selfSigned, signed, trustStore } from "../peers/certificates.ts";
import { startMariadb } from "../peers/mariadb.ts";
import { mysqlChroot, startMysql } from "../peers/mysql.ts";
import type { MysqlOrReason, MysqlPeer } from "../peers/mysql-server.ts";
import { freePorts } from "../peers/ports.ts";

const PASSWORD = "geheim";
const file = (folder: string, name: string): string => join(folder, name);
function certificates(folder: string): string | null {
  if (noOpenssl !== "") return `no certificates: ${noOpenssl}`;
  for (const name of ["ca", "other"]) selfSigned(folder, name);
  signed(folder, "server", "DNS:localhost");
  signed(folder, "address", "IP:127.0.0.1");
  signed(folder, "client", "DNS:client");
  trustStore(folder, "ca", "trust.p12", PASSWORD);
  keyStore(folder, "client", "client.p12", PASSWORD);
  for (const name of ["server.key", "server.pem", "address.key", "address.pem", "ca.pem"]) chmodSync(file(folder, name), 0o644);
  return null;
}
describe.each([
  ["mysql", startMysql, mysqlChroot() ?? ""],
  ["mariadb", startMariadb, ""],
] as const)("%s", (flavor, start, root) => {
  // The server reads its certificates from here, too.
  const folder = mkdtempSync(join(root === "" ? tmpdir() : join(root, "tmp"), "millrace-tls-"));
  chmodSync(folder, 0o755);
  const inside = (name: string): string => file(folder, name).slice(root.length);
  const tls = (certificate: string): readonly string[] => [
    `--ssl-ca=${inside("ca.pem")}`,
    `--ssl-cert=${inside(`${certificate}.pem`)}`,
    `--ssl-key=${inside(`${certificate}.key`)}`,
  ];
  let peer: MysqlOrReason = { reason: "not started" };
  beforeAll(async () => {
    const missing = certificates(folder);
    if (missing !== null) {
      peer = { reason: missing };
      return;
    }
    const [port = 0] = await freePorts(1);
    // Users outlive the kills between the tests.
    peer = await start({ port, arguments: [...tls("server"), "--innodb-flush-log-at-trx-commit=1"] });
    if ("reason" in peer) return;
    if (peer.dataFolder === null) {
      await peer.stop();
      peer = { reason: "the given server has certificates of its own" };
      return;
    }
    const sql = await peer.connect();
    await sql.query(
      flavor === "mysql"
        ? `CREATE USER ann@'%' IDENTIFIED WITH caching_sha2_password BY '${PASSWORD}'; CREATE USER cat@'%' IDENTIFIED BY '${PASSWORD}' REQUIRE X509`
        : `INSTALL SONAME 'auth_ed25519'; CREATE USER ann@'%' IDENTIFIED VIA ed25519 USING PASSWORD('${PASSWORD}'); CREATE USER cat@'%' IDENTIFIED BY '${PASSWORD}' REQUIRE X509`,
    );
  }, 240_000);
  afterAll(async () => {
    if (!("reason" in peer)) await peer.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  const serverOf = (at: MysqlPeer, ssl: SslMode, more: Partial<MysqlServer> = {}): MysqlServer => ({
    host: "localhost",
    port: at.port,
    user: "ann",
    password: PASSWORD,
    ssl,
    trust: { path: file(folder, "ca.pem"), password: null },
    key: null,
    connectTimeoutMs: 5000,
    queryTimeoutMs: 0,
    initialStatements: [],
    ...more,
  });
  /** The cipher of the connection; empty: none. */
  async function cipher(at: MysqlPeer, ssl: SslMode, more: Partial<MysqlServer> = {}): Promise<string> {
    const connection = await connect(serverOf(at, ssl, more));
    try {
      const [rows] = await connection.query<RowDataPacket[]>("SHOW SESSION STATUS LIKE 'Ssl_cipher'");
      return String(rows[0]?.["Value"]);
    } finally {
      connection.destroy();
    }
  }
  test("modes, certificates, stores", async (t) => {
    if ("reason" in peer) return t.skip(peer.reason);
    expect(await cipher(peer, "disabled")).toBe("");
    for (const mode of ["preferred", "required", "verify_ca", "verify_identity"] as const) expect(await cipher(peer, mode)).toMatch(/^\w/);
    const other = { path: file(folder, "other.pem"), password: null };
    // Encrypted, not checked.
    for (const mode of ["preferred", "required"] as const) expect(await cipher(peer, mode, { trust: other })).toMatch(/^\w/);
    for (const mode of ["verify_ca", "verify_identity"] as const) {
      await expect(cipher(peer, mode, { trust: other })).rejects.toThrow(/certificate/);
      await expect(cipher(peer, mode, { trust: null })).rejects.toThrow(/certificate/);
    }
    // The certificate is localhost's.
    expect(await cipher(peer, "verify_ca", { host: "127.0.0.1" })).toMatch(/^\w/);
    await expect(cipher(peer, "verify_identity", { host: "127.0.0.1" })).rejects.toThrow(/altnames|certificate/);
    expect(await cipher(peer, "verify_identity", { trust: { path: file(folder, "trust.p12"), password: PASSWORD } })).toMatch(/^\w/);
  });
  test("certificates of clients", async (t) => {
    if ("reason" in peer) return t.skip(peer.reason);
    const cat = { user: "cat" };
    await expect(cipher(peer, "verify_ca", cat)).rejects.toThrow(/Access denied/);
    expect(await cipher(peer, "verify_ca", { ...cat, key: { path: file(folder, "client.p12"), password: PASSWORD } })).toMatch(/^\w/);
  });
  test("certificates of addresses", async (t) => {
    if ("reason" in peer) return t.skip(peer.reason);
    await peer.kill();
    await peer.start(tls("address"));
    expect(await cipher(peer, "verify_identity", { host: "127.0.0.1" })).toMatch(/^\w/);
    await expect(cipher(peer, "verify_identity")).rejects.toThrow(/altnames|certificate/);
  });
  test("a server without TLS", async (t) => {
    if ("reason" in peer) return t.skip(peer.reason);
    await peer.kill();
    await peer.start([flavor === "mysql" ? "--tls-version=" : "--skip-ssl"]);
    for (const mode of ["disabled", "preferred"] as const) expect(await cipher(peer, mode)).toBe("");
    for (const mode of ["required", "verify_ca", "verify_identity"] as const)
      await expect(cipher(peer, mode)).rejects.toThrow(/SSL|secure/);
    await expect(cipher(peer, "disabled", { password: "wrong" })).rejects.toThrow(/Access denied/);
  });
});

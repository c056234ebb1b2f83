/** Certificates that are made on the spot, by openssl. Files are named after their owner: NAME.key, NAME.pem. */
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** "": openssl is there; else why nothing can be made. */
export const noOpenssl = spawnSync("openssl", ["version"]).status === 0 ? "" : "no openssl on the path";

const run = (folder: string, ...args: string[]): void => void execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
const NEW_KEY = ["-newkey", "rsa:2048", "-nodes"];
const DAYS = ["-days", "2"];

/** Signed by itself. `alternatives`: as subjectAltName has them, DNS:localhost. */
export function selfSigned(folder: string, name: string, alternatives: string | null = null): void {
  const more = alternatives === null ? [] : ["-addext", `subjectAltName=${alternatives}`];
  run(folder, "req", "-x509", ...NEW_KEY, ...DAYS, "-subj", `/CN=${name}`, ...more, "-keyout", `${name}.key`, "-out", `${name}.pem`);
}
/** Signed by `ca`, which `selfSigned` made. */
export function signed(folder: string, name: string, alternatives: string, ca = "ca"): void {
  run(folder, "req", ...NEW_KEY, "-subj", `/CN=${name}`, "-keyout", `${name}.key`, "-out", `${name}.csr`);
  writeFileSync(join(folder, `${name}.ext`), `subjectAltName=${alternatives}\n`);
  const by = ["-CA", `${ca}.pem`, "-CAkey", `${ca}.key`, "-CAcreateserial", "-extfile", `${name}.ext`];
  run(folder, "x509", "-req", "-in", `${name}.csr`, ...by, ...DAYS, "-out", `${name}.pem`);
}
/** `file`: a PKCS#12 store of the certificate with its key. */
export const keyStore = (folder: string, name: string, file: string, password: string): void =>
  run(folder, "pkcs12", "-export", "-in", `${name}.pem`, "-inkey", `${name}.key`, "-out", file, "-passout", `pass:${password}`);
/** `file`: a PKCS#12 store of the certificate alone. */
export const trustStore = (folder: string, name: string, file: string, password: string): void =>
  run(folder, "pkcs12", "-export", "-nokeys", "-in", `${name}.pem`, "-out", file, "-passout", `pass:${password}`);
/** One PEM file of key and certificate; its path. */
export function keyAndCertificate(folder: string, name: string): string {
  const file = join(folder, `${name}-both.pem`);
  writeFileSync(file, readFileSync(join(folder, `${name}.key`), "utf8") + readFileSync(join(folder, `${name}.pem`), "utf8"));
  return file;
}

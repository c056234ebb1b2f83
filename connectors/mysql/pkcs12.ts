/**
 * Certificates and keys out of PKCS#12 stores (RFC 7292), the form that Java's keytool writes since Java 9: Node's TLS takes them
 * only whole, and mysql2 passes only PEM on. Read are stores encrypted by PBES2 (RFC 8018: PBKDF2 with AES-CBC); those of older
 * tools (RC2, triple DES) are refused. The store's MAC is not checked: a wrong password shows in the padding or the structure.
 */
import { createDecipheriv, createPrivateKey, pbkdf2Sync } from "node:crypto";

export interface Pkcs12Content {
  /** PEM. */
  readonly certificates: readonly string[];
  readonly keys: readonly string[];
}
interface Node {
  readonly tag: number;
  readonly body: Buffer;
  /** With tag and length. */
  readonly whole: Buffer;
}
const SEQUENCE = 0x30;
const OCTETS = 0x04;
const ITERATIONS_MAX = 10_000_000;

/** The DER values that follow each other in `b`. Throws Error for what is not DER. */
function values(b: Buffer): Node[] {
  const out: Node[] = [];
  for (let p = 0; p < b.length; ) {
    const start = p;
    const tag = b[p++] ?? 0;
    let length = b[p++] ?? 0;
    if (length > 0x84 || length === 0x80) throw new Error("it is not in DER form");
    if (length > 0x80) {
      const size = length - 0x80;
      length = b.length - p >= size ? b.readUIntBE(p, size) : b.length;
      p += size;
    }
    if (length > b.length - p) throw new Error("it ends before its content");
    out.push({ tag, body: b.subarray(p, p + length), whole: b.subarray(start, p + length) });
    p += length;
  }
  return out;
}
function at(nodes: readonly Node[], index: number): Node {
  const node = nodes[index];
  if (node === undefined) throw new Error("it has not the structure of a PKCS#12 store");
  return node;
}
const hex = (node: Node): string => node.body.toString("hex");
const integer = (node: Node): number => (node.body.length > 6 || node.body.length === 0 ? 0 : node.body.readUIntBE(0, node.body.length));

const OID = {
  data: "2a864886f70d010701",
  encryptedData: "2a864886f70d010706",
  pbes2: "2a864886f70d01050d",
  shroudedKey: "2a864886f70d010c0a0102",
  certificate: "2a864886f70d010c0a0103",
} as const;
const PRF: Readonly<Record<string, string>> = {
  "2a864886f70d0207": "sha1",
  "2a864886f70d0209": "sha256",
  "2a864886f70d020a": "sha384",
  "2a864886f70d020b": "sha512",
};
const CIPHERS: Readonly<Record<string, readonly [string, number]>> = {
  "608648016503040116": ["aes-192-cbc", 24],
  "60864801650304012a": ["aes-256-cbc", 32],
};

function decrypted(algorithm: Node, cipherText: Buffer, password: string): Buffer {
  const [scheme, parameters] = values(algorithm.body);
  if (scheme === undefined || parameters === undefined || hex(scheme) !== OID.pbes2)
    throw new Error("it is encrypted in an old way; write it anew with keytool of Java 17 or with openssl 3");
  const [derivation, encryption] = values(parameters.body);
  const pbkdf2 = values(at(values(derivation?.body ?? Buffer.alloc(0)), 1).body);
  const rounds = integer(at(pbkdf2, 1));
  const last = pbkdf2.at(-1);
  const digest = last?.tag === SEQUENCE ? PRF[hex(at(values(last.body), 0))] : "sha1";
  const cipherParts = values(encryption?.body ?? Buffer.alloc(0));
  const cipher = CIPHERS[hex(at(cipherParts, 0))];
  if (digest === undefined || cipher === undefined || rounds < 1 || rounds > ITERATIONS_MAX)
    throw new Error("its encryption is none of AES-CBC with PBKDF2");
  const key = pbkdf2Sync(password, at(pbkdf2, 0).body, rounds, cipher[1], digest);
  const decipher = createDecipheriv(cipher[0], key, at(cipherParts, 1).body);
  try {
    return Buffer.concat([decipher.update(cipherText), decipher.final()]);
  } catch (cause) {
    throw new Error("its password is wrong", { cause });
  }
}
const pem = (label: string, der: Buffer): string =>
  `-----BEGIN ${label}-----\n${(der.toString("base64").match(/.{1,64}/g) ?? []).join("\n")}\n-----END ${label}-----\n`;

function bags(content: Buffer, password: string, into: { certificates: string[]; keys: string[] }): void {
  for (const bag of values(at(values(content), 0).body)) {
    const [type, wrapped] = values(bag.body);
    if (type === undefined || wrapped === undefined) continue;
    const value = at(values(wrapped.body), 0);
    if (hex(type) === OID.certificate) {
      const octets = at(values(at(values(value.body), 1).body), 0);
      into.certificates.push(pem("CERTIFICATE", octets.body));
    } else if (hex(type) === OID.shroudedKey) {
      const [algorithm, cipherText] = values(value.body);
      if (algorithm === undefined || cipherText === undefined) continue;
      const key = createPrivateKey({ key: decrypted(algorithm, cipherText.body, password), format: "der", type: "pkcs8" });
      into.keys.push(String(key.export({ format: "pem", type: "pkcs8" })));
    }
  }
}
/** Whether these bytes may be a PKCS#12 store (and not, e.g., PEM or a Java store of the old kind). */
export const looksLikePkcs12 = (b: Buffer): boolean => b[0] === SEQUENCE;

/** Throws Error; its message goes on after "the store cannot be read: ". */
export function readPkcs12(store: Buffer, password: string): Pkcs12Content {
  const into: { certificates: string[]; keys: string[] } = { certificates: [], keys: [] };
  const safe = values(at(values(at(values(store), 0).body), 1).body);
  if (hex(at(safe, 0)) !== OID.data) throw new Error("it is signed with a key instead of a password");
  const octets = at(values(at(safe, 1).body), 0);
  if (octets.tag !== OCTETS) throw new Error("it has not the structure of a PKCS#12 store");
  for (const info of values(at(values(octets.body), 0).body)) {
    const [type, content] = values(info.body);
    if (type === undefined || content === undefined) continue;
    const inner = at(values(content.body), 0);
    if (hex(type) === OID.data) bags(inner.body, password, into);
    else if (hex(type) === OID.encryptedData) {
      const encrypted = values(at(values(inner.body), 1).body);
      bags(decrypted(at(encrypted, 1), at(encrypted, 2).body, password), password, into);
    }
  }
  return into;
}

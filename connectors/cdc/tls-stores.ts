/** Key and trust stores that settings name: PEM, PKCS12 or JKS files. */
import { readFileSync } from "node:fs";
import { storedCertificates, type StoredKey, storedKey } from "#broker/base/key-store/key-store";
import { ConfigError } from "#connect/api/errors";

/** A file, with its password where it has one. */
export interface StoreFile {
  readonly path: string;
  readonly password: string | null;
}
/** PEM. Throws ConfigError that names the setting. */
export const trustedCertificates = (file: StoreFile, setting: string): string =>
  opened(file, setting, (bytes) => storedCertificates(bytes, file.password ?? undefined).join(""));
/** PEM. Throws ConfigError that names the setting. */
export const ownKey = (file: StoreFile, setting: string): StoredKey =>
  opened(file, setting, (bytes) => storedKey(bytes, file.password ?? undefined));

function opened<T>(file: StoreFile, setting: string, open: (bytes: Buffer) => T): T {
  try {
    return open(readFileSync(file.path));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError(`The '${setting}' value is invalid: ${file.path} cannot be read: ${why}`, cause);
  }
}

import { createHash, createHmac, pbkdf2Sync } from "node:crypto";
import { describe, expect, test } from "vitest";
import { systemRandom } from "#broker/base/random";
import { scram } from "#broker/client/sasl/scram";
import { plainServer } from "#broker/network/sasl/plain";
import { SaslFailure, type SaslServer, type ScramCredential } from "#broker/network/sasl/mechanism";
import { scramServer } from "#broker/network/sasl/scram";

function credentialOf(password: string, hash: "sha256" | "sha512", salt: Buffer, iterations = 4096): ScramCredential {
  const salted = pbkdf2Sync(password, salt, iterations, hash === "sha256" ? 32 : 64, hash);
  const clientKey = createHmac(hash, salted).update("Client Key").digest();
  const serverKey = createHmac(hash, salted).update("Server Key").digest();
  return { salt, iterations, serverKey, storedKey: createHash(hash).update(clientKey).digest() };
}
/** These mechanisms answer at once. */
function answer(ours: SaslServer, message: Buffer): Buffer {
  const next = ours.next(message);
  if (next instanceof Promise) throw new Error("a promise");
  return next;
}
const server = (mechanism: number, users: Readonly<Record<string, ScramCredential>>): SaslServer =>
  scramServer({ mechanism, credential: (user) => users[user], random: systemRandom });

describe("SCRAM", () => {
  test.each([
    [1, "sha256"],
    [2, "sha512"],
  ] as const)("mechanism %i: both sides prove that they know the password", (mechanism, hash) => {
    const ours = server(mechanism, { "a,b=c": credentialOf("pencil", hash, Buffer.from("salt")) });
    const client = scram(hash, "a,b=c", "pencil", "clientnonce");
    const first = answer(ours, client.first());
    expect(ours.user).toBeNull();
    client.verify(answer(ours, client.final(first.toString())).toString());
    expect(ours.user).toBe("a,b=c");
    expect(() => ours.next(client.first())).toThrow(SaslFailure);
  });
  test.each<[string, (first: string) => string]>([
    ["a wrong password", (first) => scramFinal(first, "wrong")],
    ["another nonce", (first) => scramFinal(first, "pencil").replace("r=clientnonce", "r=othernonce")],
    ["another channel binding", (first) => scramFinal(first, "pencil").replace("c=biws", "c=eSws")],
    ["no proof", (first) => scramFinal(first, "pencil").replace(/,p=.*/, "")],
    ["a short proof", (first) => scramFinal(first, "pencil").replace(/,p=.*/, ",p=AAAA")],
    ["noise", () => "\0\0\0"],
  ])("%s is refused, in the same words as all others", (_what, final) => {
    const ours = server(1, { user: credentialOf("pencil", "sha256", Buffer.from("salt")) });
    const first = answer(ours, Buffer.from("n,,n=user,r=clientnonce")).toString();
    expect(() => ours.next(Buffer.from(final(first)))).toThrow("invalid credentials with SASL mechanism SCRAM-SHA-256");
    expect(ours.user).toBeNull();
  });
  test.each(["n,,n=nobody,r=x", "p=tls-unique,,n=user,r=x", "", "n,,r=x"])("first message %j is refused", (first) => {
    const ours = server(1, { user: credentialOf("pencil", "sha256", Buffer.from("salt")) });
    expect(() => ours.next(Buffer.from(first))).toThrow(SaslFailure);
  });
});
function scramFinal(first: string, password: string): string {
  const client = scram("sha256", "user", password, "clientnonce");
  client.first();
  return client.final(first).toString();
}

describe("PLAIN", () => {
  const users = new Map([["alice", "wonder"]]);
  test("the right password", () => {
    const ours = plainServer(users);
    answer(ours, Buffer.from("\0alice\0wonder"));
    expect(ours.user).toBe("alice");
  });
  test.each(["\0alice\0wrong", "\0nobody\0wonder", "\0nobody\0", "\0alice\0wonder\0", "bob\0alice\0wonder", "alice", "\0\0"])(
    "%j is refused",
    (message) => {
      const ours = plainServer(users);
      expect(() => ours.next(Buffer.from(message))).toThrow(SaslFailure);
      expect(ours.user).toBeNull();
    },
  );
});

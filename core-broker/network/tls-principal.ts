/** Who a client certificate says the peer is. */
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { Principal } from "../handlers/handler.ts";

const cache = new WeakMap<Socket, Principal | null>();

/** Kafka's default principal: the certificate's distinguished name, most specific part first. Null without a certificate. */
export function tlsPrincipal(socket: Socket): Principal | null {
  if (!(socket instanceof TLSSocket)) return null;
  const known = cache.get(socket);
  if (known !== undefined) return known;
  const subject = socket.authorized ? socket.getPeerCertificate().subject : undefined;
  const principal = subject === undefined ? null : { type: "User", name: distinguishedName(subject) };
  cache.set(socket, principal);
  return principal;
}
function distinguishedName(subject: object): string {
  const parts = Object.entries(subject).map(([key, value]) => `${key}=${[value].flat().join("+")}`);
  return parts.reverse().join(",");
}

/** Who a client certificate says the peer is. */
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Principal } from "../handlers/handler.ts";
import { subjectOf } from "./distinguished-name.ts";

/** From a distinguished name to the principal's name. Throws when there is none for it. */
export type NameOfCertificate = (distinguishedName: string) => string;

/** Told by what it offers: node:tls is only loaded where there is a listener for it. */
const isTls = (socket: Socket): socket is TLSSocket => "getPeerCertificate" in socket;

/** Null without a certificate that was verified: the peer is anonymous. */
export function tlsPrincipal(socket: Socket, nameOf: NameOfCertificate = (name) => name): Principal | null {
  if (!isTls(socket) || !socket.authorized) return null;
  const certificate = socket.getPeerCertificate().raw;
  return certificate === undefined ? null : { type: "User", name: nameOf(subjectOf(certificate)) };
}
/** The peer showed a certificate that nobody we trust has signed; showing none is another matter. */
export const isUntrusted = (socket: Socket): boolean =>
  isTls(socket) && !socket.authorized && socket.getPeerCertificate().raw !== undefined;

/**
 * Who may use REST. Two sources, alone or together: Kafka's BasicAuthSecurityRestExtension with its JAAS file, whose users may do
 * everything unless the second names them; and `millrace.rest.access.file`, JSON with users, each with a token, a password or the
 * common name of a client certificate, a role, and beginnings of connector names.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { jaasOptions } from "#broker/client/security";
import * as z from "zod";
import { ConfigError } from "../api/errors.ts";
import { RestError } from "../herder/errors.ts";
import { parseProperties } from "../properties.ts";
import type { ConfigMap } from "../worker/types.ts";
import type { Guard } from "./app.ts";
import { type Caller, ROLES, type Role, type Route } from "./route.ts";

const EXTENSION = "BasicAuthSecurityRestExtension";
const LOGIN_CONTEXT = "KafkaConnect";
const users = z.strictObject({
  users: z.array(
    z.strictObject({
      name: z.string().min(1),
      role: z.enum(ROLES),
      /** Beginnings of connector names; absent: all connectors. */
      connectors: z.array(z.string()).optional(),
      token: z.string().min(16).optional(),
      /** SHA-256 of the token, in hex, so that the file holds no secret. */
      tokenSha256: z
        .string()
        .regex(/^[0-9a-f]{64}$/i)
        .optional(),
      password: z.string().min(1).optional(),
      /** Common name of a client certificate. */
      certificate: z.string().optional(),
    }),
  ),
});
type User = z.infer<typeof users>["users"][number];

/** Throws ConfigError. */
export function openGuard(config: ConfigMap, env: Readonly<Record<string, string | undefined>>): Guard {
  const file = config["millrace.rest.access.file"] ?? "";
  const listed = file === "" ? [] : readUsers(file);
  const basic = (config["rest.extension.classes"] ?? "").includes(EXTENSION) ? readCredentials(config, env) : {};
  const callers = new Map<string, Caller>(listed.map((u) => [u.name, callerOf(u)]));
  const callerNamed = (name: string): Caller => callers.get(name) ?? { name, role: "admin", mayUse: () => true };
  return {
    // The text of the extension's filter.
    refusal: "User cannot access the resource.",
    identify({ authorization, certificate }) {
      const bearer = /^Bearer\s+(\S+)$/i.exec(authorization ?? "")?.[1];
      if (bearer !== undefined) return owner(listed.find((u) => tokenMatches(u, bearer)));
      const basicAuth = basicCredentials(authorization);
      if (basicAuth !== null) {
        const [name, password] = basicAuth;
        const known = Object.hasOwn(basic, name) ? basic[name] : undefined;
        if (known !== undefined && same(known, password)) return callerNamed(name);
        return owner(listed.find((u) => u.name === name && u.password !== undefined && same(u.password, password)));
      }
      return certificate === null ? null : owner(listed.find((u) => u.certificate === certificate));
    },
    allow,
  };
  function owner(user: User | undefined): Caller | null {
    return user === undefined ? null : (callers.get(user.name) ?? null);
  }
}
const allow: Guard["allow"] = (caller, route, request) => {
  const needed = neededRole(route);
  if (ROLES.indexOf(caller.role) < ROLES.indexOf(needed)) {
    throw new RestError(403, `${caller.name} has the role ${caller.role}; ${route.method} ${route.path} needs ${needed}`);
  }
  const name = request.params["name"];
  if (name !== undefined && !caller.mayUse(name)) throw new RestError(403, `${caller.name} may not use connector ${name}`);
};
export const neededRole = (route: Route): Role => {
  if (route.needs === undefined || route.needs === "nobody" || route.needs === "workers") return route.method === "GET" ? "read" : "edit";
  return route.needs;
};
const callerOf = (user: User): Caller => {
  const { name, role, connectors } = user;
  return { name, role, mayUse: (connector) => connectors === undefined || connectors.some((prefix) => connector.startsWith(prefix)) };
};
const sha256 = (text: string): Buffer => createHash("sha256").update(text).digest();
/** In the same time whatever the length. */
const same = (a: string, b: string): boolean => timingSafeEqual(sha256(a), sha256(b));
function tokenMatches(user: User, token: string): boolean {
  if (user.token !== undefined && same(user.token, token)) return true;
  return user.tokenSha256 !== undefined && timingSafeEqual(Buffer.from(user.tokenSha256, "hex"), sha256(token));
}
function basicCredentials(header: string | undefined): readonly [string, string] | null {
  const encoded = /^Basic\s+([A-Za-z0-9+/=]+)$/i.exec(header ?? "")?.[1];
  if (encoded === undefined) return null;
  const text = Buffer.from(encoded, "base64").toString();
  const at = text.indexOf(":");
  return at < 0 ? null : [text.slice(0, at), text.slice(at + 1)];
}
function readUsers(path: string): readonly User[] {
  try {
    return users.parse(JSON.parse(readFileSync(path, "utf8"))).users;
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error).replaceAll("\n", " ") : error instanceof Error ? error.message : "";
    throw new ConfigError(`Invalid value ${path} for configuration millrace.rest.access.file: ${why}`, error);
  }
}
/**
 * The extension's login: the JAAS file that a JVM is told of by `-Djava.security.auth.login.config` (here in KAFKA_OPTS or
 * JAVA_TOOL_OPTIONS, or as `millrace.rest.jaas.config`), its context KafkaConnect, the module's `file`: name=password.
 */
function readCredentials(config: ConfigMap, env: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> {
  const inEnv = /-Djava\.security\.auth\.login\.config==?(\S+)/.exec(`${env["KAFKA_OPTS"] ?? ""} ${env["JAVA_TOOL_OPTIONS"] ?? ""}`)?.[1];
  const jaas = config["millrace.rest.jaas.config"] ?? inEnv;
  if (jaas === undefined || jaas === "") {
    throw new ConfigError(
      `rest.extension.classes: ${EXTENSION} needs its JAAS file; name it in millrace.rest.jaas.config, or in KAFKA_OPTS as -Djava.security.auth.login.config=FILE`,
    );
  }
  try {
    const context = new RegExp(`${LOGIN_CONTEXT}\\s*\\{([^}]*)\\}`).exec(readFileSync(jaas, "utf8"))?.[1];
    if (context === undefined) throw new Error(`it has no context ${LOGIN_CONTEXT}`);
    if (!/PropertyFileLoginModule/.test(context)) throw new Error("only PropertyFileLoginModule is known");
    const { file } = jaasOptions(context);
    if (file === undefined) throw new Error('PropertyFileLoginModule needs file="…"');
    const credentials = parseProperties(readFileSync(file, "utf8"));
    // Kafka Connect lets everybody in here.
    if (Object.keys(credentials).length === 0) throw new Error(`${file} names nobody`);
    return credentials;
  } catch (error) {
    throw new ConfigError(`The JAAS file ${jaas} cannot be used: ${error instanceof Error ? error.message : String(error)}`, error);
  }
}

export { sqlserverSource } from "./connector.ts";

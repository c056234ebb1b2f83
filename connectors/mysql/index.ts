export { mariadbSource, mysqlSource } from "./connector.ts";

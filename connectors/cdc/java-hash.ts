/** Where connectors find the JVM's order of maps. */
export { inHashMapOrder } from "#connect/api/hash-map-order";

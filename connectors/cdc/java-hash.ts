/** Where connectors find the JVM's order of maps. */
export { inGatheredOrder, inHashMapOrder, inHashSetOrder } from "#connect/api/hash-map-order";

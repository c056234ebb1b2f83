/** A package with plugins for Millrace; docs/plugins.md explains it. Every export that looks like a plugin is one. */
export { folderSource } from "./folder-source.ts";
export { linesSink } from "./lines-sink.ts";
export { base64Converter, evenKey, stamp } from "./small-plugins.ts";

import { buildMachine } from "../machine.ts";

/** Makes a server whose specification is in place: `node build.ts <world> <name> <mark>`. */
const [world = "", name = ""] = process.argv.slice(2);
await buildMachine(world, name);

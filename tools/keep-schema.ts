import { writeFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { brotliCompressSync, constants } from "node:zlib";

import { UserError } from "../lib/errors.ts";

// Reads what `openclaw config schema` prints and keeps it for the plan: `… | node tools/keep-schema.ts 2026.9.6`
const [version = ""] = process.argv.slice(2);
if (!/^\d{4}\.\d+\.\d+$/.test(version)) throw new UserError(`"${version}" is not a version of OpenClaw such as 2026.9.6`);

const schema = await text(process.stdin);
JSON.parse(schema);
const file = new URL(`../plan/openclaw-schema/${version}.json.br`, import.meta.url);
writeFileSync(file, brotliCompressSync(schema, { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } }));

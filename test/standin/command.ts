// Stand-in for the plug-in command 1.2.1, which does the real thing: a command runs on a host, over ssh, with the host's key enforced.
import { randomBytes } from "node:crypto";

import * as z from "zod";

import { previewable } from "./inputs.ts";
import { type Kind, type OperationContext, type Props, serve } from "./provider.ts";
import { Connection, type RemoteResult, runRemotely } from "./ssh.ts";

const Command = z.strictObject({
  connection: Connection,
  create: z.string().optional(),
  update: z.string().optional(),
  delete: z.string().optional(),
  stdin: z.string().optional(),
  environment: z.record(z.string().regex(/^\w+$/, "use a variable's name"), z.string()).optional(),
  triggers: z.array(z.unknown()).optional(),
  addPreviousOutputInEnv: z.boolean().optional(),
  logging: z.enum(["stdout", "stderr", "stdoutAndStderr", "none"]).optional(),
});

const NOTHING: RemoteResult = { stdout: "", stderr: "" };
const Output = z.object({ stdout: z.string(), stderr: z.string() });

export const remoteCommand: Kind = {
  inputs: previewable(Command),
  replace: ["triggers"],
  computed: ["stdout", "stderr"],
  renewed: ["stdout", "stderr"],
  create: async (inputs, context) => {
    const { create } = Command.parse(inputs);
    const result = create === undefined ? NOTHING : await run(create, inputs, NOTHING, context);
    return { id: `${context.urn.split("::").at(-1) ?? ""}${randomBytes(4).toString("hex")}`, outputs: { ...inputs, ...result } };
  },
  update: async (_id, olds, news, context) => {
    const previous = Output.parse(olds);
    const { create, update = create } = Command.parse(news);
    return { ...news, ...(update === undefined ? previous : await run(update, news, previous, context)) };
  },
  delete: async (_id, olds, context) => {
    const { stdout, stderr, ...inputs } = olds;
    const command = Command.parse(inputs).delete;
    if (command !== undefined) await run(command, inputs, Output.parse({ stdout, stderr }), context);
  },
};

async function run(command: string, inputs: Props, previous: RemoteResult, context: OperationContext): Promise<RemoteResult> {
  const { connection, stdin = "", environment = {}, addPreviousOutputInEnv = true, logging = "stdoutAndStderr" } = Command.parse(inputs);
  const before = { PULUMI_COMMAND_STDOUT: previous.stdout, PULUMI_COMMAND_STDERR: previous.stderr };
  const passed = addPreviousOutputInEnv ? Object.entries(before).filter(([, text]) => text !== "") : [];
  // Unlike the provider, ssh does not hear that a host refused a variable; the command's own shell can see it.
  const refused = Object.keys(environment).map((name) => `: "\${${name}?could not set this environment variable}"\n`);
  return await runRemotely({
    connection,
    command: `${refused.join("")}${command}`,
    stdin,
    environment: { ...environment, ...Object.fromEntries(passed) },
    signal: context.signal,
    log: context.log,
    onLine: (stream, line) => {
      if (logging === stream || logging === "stdoutAndStderr") context.log(line);
    },
  });
}

if (import.meta.main) serve({ name: "command", version: "1.2.1", kinds: { "command:remote:Command": remoteCommand } });

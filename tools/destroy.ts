import { UserError } from "../lib/errors.ts";
import { runInForeground } from "./command.ts";
import { docker } from "./docker.ts";
import { listVolumes, refuseForeignFleet } from "./fleet.ts";
import { LOCAL_STACK } from "./local.ts";
import { recover, removeUnrecorded } from "./recover.ts";
import type { SetUp } from "./set-up.ts";
import { ask } from "./terminal.ts";

/** What the operator already said on the command line. */
export interface DestroyOptions {
  /** No questions. */
  yes: boolean;
  /** The tenants' data goes too. */
  data: boolean;
}

/** Takes the local fleet down for good. The tenants' data stays unless it was named. Gives the exit code. */
export async function destroy(projectDir: string, { docker: { endpoint }, env }: SetUp, { yes, data }: DestroyOptions): Promise<number> {
  await refuseForeignFleet(projectDir, endpoint);
  if (!yes) await confirm(`This removes every container and network of the stack and forgets its tokens. Type its name, ${LOCAL_STACK}, to go on: `);
  await recover({ projectDir, stack: LOCAL_STACK, env });
  const args = ["destroy", "--stack", LOCAL_STACK, "--yes", "--skip-preview", "--suppress-outputs"];
  const code = await runInForeground("pulumi", args, { cwd: projectDir, env });
  if (code !== 0) return code;
  await removeUnrecorded({ projectDir, stack: LOCAL_STACK, env });

  const volumes = await listVolumes(endpoint);
  if (volumes.length === 0) return 0;
  if (data) {
    if (!yes) await confirm(`This deletes the data of every tenant: ${volumes.join(", ")}. Type ${LOCAL_STACK} to go on: `);
    await docker(endpoint, ["volume", "rm", ...volumes]);
    process.stdout.write(`deleted: ${volumes.join(", ")}\n`);
  } else {
    process.stdout.write(`${["kept, with the tenants' data:", ...volumes.map((name) => `  ${name}`)].join("\n")}\n`);
    process.stdout.write("to bring a tenant back with its data: `adopt: true` in its entry, then npm start\n");
    process.stdout.write(`to delete all of it: docker volume rm ${volumes.join(" ")}\n`);
  }
  return 0;
}

async function confirm(question: string): Promise<void> {
  const answer = await ask(question);
  if (answer === undefined) throw new UserError("destroying asks first, and there is no terminal to ask on", { hint: "npm run destroy -- --yes" });
  if (answer !== LOCAL_STACK) throw new UserError(`"${answer}" is not "${LOCAL_STACK}"; nothing was deleted`);
}

/** Runs the docker client and returns what it printed. */
export type Docker = (...args: string[]) => Promise<string>;

const STACK_LABEL = "openclaw-tenants.stack";

/** Removes everything of a stack by its label, whatever its state remembers: containers, networks, volumes. */
export async function removeStack(docker: Docker, stack: string): Promise<void> {
  const filter = ["--quiet", "--filter", `label=${STACK_LABEL}=${stack}`];
  for (const [list, remove] of [
    [
      ["ps", "--all"],
      ["rm", "--force", "--volumes"],
    ],
    [
      ["network", "ls"],
      ["network", "rm"],
    ],
    [
      ["volume", "ls"],
      ["volume", "rm"],
    ],
  ] as const) {
    const find = async (): Promise<string[]> => (await docker(...list, ...filter)).split("\n").filter(Boolean);
    const found = await find();
    if (found.length === 0) continue;
    await docker(...remove, ...found).catch(async (error: unknown) => {
      // Another run may clear the same things away.
      if ((await find()).length > 0) throw error;
    });
  }
}

/** Removes what test runs left that were killed before they could clean up: their stacks carry the id of a process that is gone. */
export async function removeDeadRuns(docker: Docker): Promise<void> {
  const format = ["--format", `{{.Label "${STACK_LABEL}"}}`, "--filter", `label=${STACK_LABEL}`];
  const stacks = await Promise.all([docker("ps", "--all", ...format), docker("network", "ls", ...format), docker("volume", "ls", ...format)]);
  for (const stack of new Set(stacks.flatMap((text) => text.split("\n")))) {
    const pid = /^test-\d+-(\d+)$/.exec(stack)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) await removeStack(docker, stack);
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // Another user's process.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

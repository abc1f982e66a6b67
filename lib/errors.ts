/** A mistake the operator can fix. Shown without a stack; everything else is a bug and keeps its stack. */
export class UserError extends Error {
  /** The way out: a command to type or a value that would do. */
  readonly hint: string | undefined;

  constructor(message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = "UserError";
    this.hint = options.hint;
  }
}

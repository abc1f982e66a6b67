import * as pulumi from "@pulumi/pulumi";

/** What accounts answer when they have a thing already. Sources: hcloud-go's error.go; Cloudflare's 81058 is an identical DNS record. */
const TAKEN = /\b(uniqueness_error|volume_already_attached|81058)\b/;

/** Says how to go on when an account already has what is to be made in it; the provider's own error does not. */
export function explainTaken(stack: string): pulumi.ResourceTransformation {
  const hook = new pulumi.ErrorHook("taken", async ({ name, errors }) => {
    if (TAKEN.test(errors[0] ?? ""))
      await pulumi.log.error(
        `${name} is in the account and not in the state: what an update that was killed has left there is taken over by \`npm run recover -- --stack ${stack}\`, anything else has to be deleted or renamed first`,
      );
    return false;
  });
  return ({ type, props, opts }) =>
    /^(hcloud|cloudflare):/.test(type) ? { props, opts: { ...opts, hooks: { ...opts.hooks, onError: [...(opts.hooks?.onError ?? []), hook] } } } : undefined;
}

/** Fields whose plain text would be a credential in the repository and in the state. */
const CREDENTIAL_FIELD = /(apikey|token|password|secret|credential)s?$/i;

/** Whether a field of this name holds a credential, or the name of one. */
export function isCredentialField(name: string): boolean {
  return CREDENTIAL_FIELD.test(name);
}
